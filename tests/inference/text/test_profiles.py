"""Built-in chat profiles: which one fits, and exactly what prompts they write."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from inference.text.doctor.examine import examine
from inference.text.profiles import all_profiles, choose_profile, find_profile
from inference.text.template import ChatTemplate
from inference.values import ChatMessage, ChatPrompt
from resources import path

SHARED = Path(__file__).resolve().parents[4] / "shared" / "chat_templates"
CHAT = (("user", "甲"), ("assistant", "乙"), ("user", "丙"))
ALPACA = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
AQUILA = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)
CODER = (
    "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by Deepseek Company, and "
    "you only answer questions related to computer science. For politically sensitive questions, security and privacy "
    "issues, and other non-computer science questions, you will refuse to answer\n"
)
BOTH = "You are a helpful assistant. 你是一个乐于助人的助手。"
USER_3 = "<|start_header_id|>user<|end_header_id|>\n\n"
ANSWER_3 = "<|start_header_id|>assistant<|end_header_id|>\n\n"
CHATML = (
    "<|im_start|>user\n甲<|im_end|>\n<|im_start|>assistant\n乙<|im_end|>\n"
    "<|im_start|>user\n丙<|im_end|>\n<|im_start|>assistant\n"
)


def written(name: str, *turns: tuple[str, str], thinking: bool | None = None) -> str:
    profile = find_profile(name)
    assert profile is not None
    template = ChatTemplate.compile(profile.template, bos_token="<s>", eos_token="</s>", control_texts=frozenset())
    messages = tuple(ChatMessage(role=role, content=content) for role, content in turns)
    return template.render(ChatPrompt(messages=messages, enable_thinking=thinking), now=datetime(2024, 1, 1)).text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chatml", CHATML),
        ("internlm2", f"<s>{CHATML}"),
        ("baichuan", "<|195|>甲<|196|>乙<|195|>丙<|196|>"),
        ("baichuan1", "<|195|>甲<|196|>乙</s><|195|>丙<|196|>"),
        ("chatglm2", "[gMASK]sop[Round 1]\n\n问：甲\n\n答：乙\n\n[Round 2]\n\n问：丙\n\n答："),
        ("chatglm3", "[gMASK]sop<|user|>\n 甲<|assistant|>\n 乙<|user|>\n 丙<|assistant|>"),
        ("chatglm4", "[gMASK]<sop><|user|>\n甲<|assistant|>\n乙<|user|>\n丙<|assistant|>"),
        ("internlm1", "<s><|User|>:甲<eoh>\n<|Bot|>:乙<eoa>\n<|User|>:丙<eoh>\n<|Bot|>:"),
        ("orion", "<s>Human: 甲\n\nAssistant: </s>乙</s>Human: 丙\n\nAssistant: </s>"),
        ("xverse", "Human: 甲\n\nAssistant: 乙</s>Human: 丙\n\nAssistant: "),
        ("minicpm", "<s><用户>甲<AI>乙<用户>丙<AI>"),
        ("rwkv-world", "<s>User: 甲\n\nAssistant: 乙\n\nUser: 丙\n\nAssistant:"),
        ("deepseek-llm", "<s>User: 甲\n\nAssistant: 乙</s>User: 丙\n\nAssistant:"),
        (
            "deepseek-coder",
            f"<s>{CODER}### Instruction:\n甲\n### Response:\n乙\n<|EOT|>\n### Instruction:\n丙\n### Response:\n",
        ),
        ("aquila", f"{AQUILA}###Human: 甲###Assistant: 乙</s>Human: 丙###Assistant:"),
        ("aquila-legacy", f"{AQUILA}\n\n### Human: 甲\n### Assistant: 乙</s>### Human: 丙\n### Assistant: "),
        ("aquila-v1", "<|startofpiece|>甲<|endofpiece|>乙</s><|startofpiece|>丙<|endofpiece|>"),
        (
            "deepseek-v3.2",
            "<s><｜User｜>甲<｜Assistant｜></think>乙<｜end▁of▁sentence｜><｜User｜>丙<｜Assistant｜></think>",
        ),
        ("llama-2", "<s>[INST] 甲 [/INST] 乙 </s><s>[INST] 丙 [/INST]"),
        ("alpaca2", f"<s>[INST] <<SYS>>\n{BOTH}\n<</SYS>>\n\n甲 [/INST] 乙 </s><s>[INST] 丙 [/INST]"),
        (
            "alpaca",
            f"<s>{ALPACA}### Instruction:\n\n甲\n\n### Response:\n\n乙\n\n### Instruction:\n\n丙\n\n### Response:\n\n",
        ),
        ("atom", "<s>Human: 甲\n</s><s>Assistant: 乙\n</s><s>Human: 丙\n</s><s>Assistant: "),
        ("llama-3", f"<s>{USER_3}甲<|eot_id|>{ANSWER_3}乙<|eot_id|>{USER_3}丙<|eot_id|>{ANSWER_3}"),
    ],
)
def test_prompts(name: str, expected: str) -> None:
    assert written(name, *CHAT) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen1", "<|im_start|>system\n简短<|im_end|>\n<|im_start|>user\n甲<|im_end|>\n<|im_start|>assistant\n"),
        ("baichuan", "简短<|195|>甲<|196|>"),
        ("chatglm2", "[gMASK]sop[Round 1]\n\n问：简短\n\n甲\n\n答："),
        ("chatglm3", "[gMASK]sop<|system|>\n 简短<|user|>\n 甲<|assistant|>"),
        ("internlm1", "<s><|System|>:简短\n<|User|>:甲<eoh>\n<|Bot|>:"),
        ("alpaca2", "<s>[INST] <<SYS>>\n简短\n<</SYS>>\n\n甲 [/INST]"),
        ("deepseek-llm", "<s>简短\n\nUser: 甲\n\nAssistant:"),
        ("rwkv-world", "<s>System: 简短\n\nUser: 甲\n\nAssistant:"),
    ],
)
def test_system_prompts(name: str, expected: str) -> None:
    assert written(name, ("system", "简短"), ("user", "甲")) == expected


@pytest.mark.parametrize(("thinking", "tail"), [(None, ""), (True, " <think>"), (False, " <think>\n</think>")])
def test_rwkv_thinks_when_asked_to(thinking: bool | None, tail: str) -> None:
    assert written("rwkv-world", ("user", "甲"), thinking=thinking) == f"<s>User: 甲\n\nAssistant:{tail}"


@pytest.mark.parametrize(
    ("architecture", "name", "profile"),
    [
        ("baichuan", "Baichuan2 13B Chat", "baichuan"),
        ("baichuan", "Baichuan-13B-Chat", "baichuan1"),
        ("qwen", "Qwen-14B-Chat", "qwen1"),
        ("qwen2", "anything", "chatml"),
        ("chatglm", "chatglm3-6b", "chatglm3"),
        ("chatglm", "ChatGLM2-6B", "chatglm2"),
        ("chatglm", "glm-4-9b-chat", "chatglm4"),
        ("internlm2", "internlm2-chat-7b", "internlm2"),
        ("llama", "internlm-chat-7b", "internlm1"),
        ("llama", "internlm3-8b-instruct", "internlm3"),
        ("orion", "Orion-14B-Chat", "orion"),
        ("xverse", "XVERSE-13B-Chat", "xverse"),
        ("minicpm", "MiniCPM-2B-sft", "minicpm"),
        ("minicpm3", "MiniCPM3 4B", "minicpm3"),
        ("rwkv7", "rwkv7-g1-1.5b", "rwkv-world"),
        ("llama", "deepseek-coder-6.7b-instruct", "deepseek-coder"),
        ("llama", "deepseek-llm-7b-chat", "deepseek-llm"),
        ("deepseek2", "DeepSeek-V3.2", "deepseek-v3.2"),
        ("deepseek2", "DeepSeek-V3", None),
        ("llama", "Yi-34B-Chat", "yi"),
        ("llama", "Yi 1.5 9B", "yi"),
        ("llama", "AquilaChat2-34B", "aquila-legacy"),
        ("llama", "AquilaChat2-34B-16K", "aquila"),
        ("llama", "AquilaChat2-7B", "aquila-v1"),
        ("llama", "chinese-alpaca-2-7b", "alpaca2"),
        ("llama", "Llama-3-Chinese-8B-Instruct", "llama-3"),
        ("llama", "Chinese-LLaMA-Alpaca-Plus-13B", "alpaca"),
        ("llama", "Atom-7B-Chat", "atom"),
        ("llama", "Llama2-Chinese-13b-Chat", "atom"),
        ("llama", "Llama-2-7b-chat", "llama-2"),
        ("llama", "TinyLlama", None),
        ("bert", "bge-m3", None),
    ],
)
def test_choice(architecture: str, name: str, profile: str | None) -> None:
    chosen = choose_profile(architecture, name)
    assert (chosen.name if chosen else None) == profile


def test_every_template_is_used_and_sound() -> None:
    names = [profile.name for profile in all_profiles()]
    assert len(set(names)) == len(names)
    sources = {profile.template for profile in all_profiles()}
    files = sorted(path("chat_templates").glob("*.jinja"))
    assert {file.read_text("utf-8").removesuffix("\n") for file in files} == sources
    for profile in all_profiles():
        diagnosis = examine(profile.template, bos="<s>", eos="</s>")
        assert diagnosis.severity.value in ("fine", "note"), (profile.name, diagnosis)
        assert all(mark in profile.template for mark in profile.token_ids)


@pytest.mark.parametrize(
    ("name", "file", "thinking"),
    [
        *(("rwkv-world", "llama-cpp-rwkv-world", thinking) for thinking in (None, True, False)),
        ("deepseek-v3.2", "deepseek-ai-DeepSeek-V3.2", True),
        ("chatml", "Qwen-Qwen2.5-7B-Instruct", None),
    ],
)
def test_they_write_what_published_templates_write(name: str, file: str, thinking: bool | None) -> None:
    published = SHARED / f"{file}.jinja"
    if not published.exists():
        pytest.skip(f"no chat templates in {SHARED}")
    template = ChatTemplate.compile(
        published.read_text("utf-8"), bos_token="<s>", eos_token="</s>", control_texts=frozenset()
    )
    turns = (("system", "简短"), *CHAT)
    messages = tuple(ChatMessage(role=role, content=content) for role, content in turns)
    rendered = template.render(ChatPrompt(messages=messages, enable_thinking=thinking), now=datetime(2024, 1, 1))
    assert written(name, *turns, thinking=thinking) == rendered.text


def test_every_template_that_the_catalogue_names_exists() -> None:
    tables = tomllib.loads(path("chat_profiles.toml").read_text("utf-8"))["profile"].values()
    named = {table["template"]["name"] for table in tables if table["template"]["kind"] == "builtin"}
    assert named <= {profile.name for profile in all_profiles()}


def test_no_such_profile() -> None:
    assert find_profile("nothing") is None
