from __future__ import annotations

from models_catalog.lan import codes
from models_catalog.lan.visits import MOST_CONNECTIONS_EACH, Visits

HASH, OTHER = "a" * 64, "b" * 64
NOW = 1_800_000_000


def key() -> bytes:
    found = codes.key_of(codes.new_code())
    assert found is not None
    return found


def test_a_code_is_typed_as_one_likes() -> None:
    code = codes.new_code()
    assert len(code) == 24 and code != codes.new_code()
    assert codes.key_of(code) == codes.key_of(f" {code.lower().replace('-', ' ')} ") is not None
    for wrong in ("", "AAAA", code + "A", code[:-1] + "1", code[:-1] + "é"):
        assert codes.key_of(wrong) is None


def test_a_question_is_good_once_and_for_its_file_and_time() -> None:
    right, nonce, questions = key(), codes.new_nonce(), codes.Questions()
    signature = codes.sign(right, HASH, now=NOW, nonce=nonce)

    def signed(sha256: str = HASH, time: str = str(NOW), of: bytes = right, by: str = signature) -> bool:
        return questions.is_signed(of, sha256, time=time, nonce=nonce, signature=by)

    assert signed()
    assert not (signed(OTHER) or signed(time=str(NOW + 1)) or signed(of=key()) or signed(by="") or signed(time="x"))
    assert questions.is_new(time=str(NOW), nonce=nonce, now=NOW + 10)
    assert not questions.is_new(time=str(NOW), nonce=nonce, now=NOW + 20)
    assert not questions.is_new(time=str(NOW), nonce=codes.new_nonce(), now=NOW + codes.CLOCK_SECONDS + 1)
    assert not questions.is_new(time=str(NOW), nonce=codes.new_nonce(), now=NOW - codes.CLOCK_SECONDS - 1)


def test_a_ticket_is_for_one_file_one_address_and_some_hours() -> None:
    right = key()
    given = codes.ticket(right, HASH, address="192.168.1.5", until=NOW + 100)

    def holds(ticket: str = given, sha256: str = HASH, address: str = "192.168.1.5", now: int = NOW) -> bool:
        return codes.ticket_holds(right, ticket, sha256, address=address, now=now)

    assert holds() and holds(now=NOW + 100)
    assert not (holds(now=NOW + 101) or holds(sha256=OTHER) or holds(address="192.168.1.6"))
    assert not (holds("") or holds("1.2.3") or holds(given.replace(str(NOW + 100), str(NOW + 200))) or holds("é.é"))
    # Nobody gives out a ticket for longer, not even by mistake.
    assert not holds(codes.ticket(right, HASH, address="192.168.1.5", until=NOW + codes.TICKET_SECONDS + 1))


def test_who_guesses_is_not_let_in_again_for_a_minute() -> None:
    visits = Visits()
    for second in range(10):
        assert visits.enter("192.168.1.5", float(second))
        visits.refused("192.168.1.5", float(second))
        visits.leave("192.168.1.5")
    assert not visits.enter("192.168.1.5", 10.0)
    assert visits.enter("192.168.1.6", 10.0)
    assert visits.enter("192.168.1.5", 70.5)


def test_one_address_gets_so_many_connections() -> None:
    visits = Visits()
    assert all(visits.enter("10.0.0.1", 0.0) for _ in range(MOST_CONNECTIONS_EACH))
    assert not visits.enter("10.0.0.1", 0.0) and visits.enter("10.0.0.2", 0.0)
    visits.leave("10.0.0.1")
    assert visits.enter("10.0.0.1", 0.0)
    assert [visits.may_ask("10.0.0.1", 0.0) for _ in range(1_201)].count(False) == 1
    assert visits.may_ask("10.0.0.1", 61.0)
