"""Completions for bash, zsh and fish: commands, options, their values where there is a list, and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from installers.command_line import Command, Option

_MODELS = "'!*.[gG][gG][uU][fF]'"


def bash_completion(program: Command) -> str:
    """For bash 4 and newer, with or without the package bash-completion."""
    commands = [command for command in program.walk() if command.path]
    lines = [
        "# Completion of liangli for bash. Written from its commands.",
        "_liangli() {",
        '    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path="" words="" files=""',
        "    local i",
        "    COMPREPLY=()",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "$path/${COMP_WORDS[i]}" in',
        f"            {'|'.join(_slashed(command) for command in commands)}) path=$path/${{COMP_WORDS[i]}} ;;",
        "        esac",
        "    done",
        '    case "$path $previous" in',
    ]
    for command in program.walk():
        for option in command.options:
            if option.value:
                where = "|".join(f'"{_slashed(command)} {flag}"' for flag in option.flags)
                lines.append(f"        {where}) {_bash_value(option)} ;;")
    lines += ["    esac", "    case $path in"]
    for command in program.walk():
        lines.append(f'        "{_slashed(command)}") words="{" ".join(_words(command))}"{_bash_files(command)} ;;')
    lines += [
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "    if [[ -n $files && $current != -* ]]; then",
        "        compopt -o filenames 2> /dev/null",
        '        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(',
        f'            compgen -d -- "$current"; if [[ $files == models ]]; then compgen -f -X {_MODELS} -- "$current"',
        '            else compgen -f -- "$current"; fi | sort -u',
        "        )",
        "    fi",
        "}",
        "complete -F _liangli liangli",
    ]
    return "\n".join(lines).replace("    local i\n", "    local i word\n") + "\n"


def zsh_completion(english: Command, chinese: Command) -> str:
    """The descriptions are in the language of the shell."""
    lines = ["#compdef liangli", "# Completion of liangli for zsh. Written from its commands.", ""]
    lines += [f"if [[ {_SHELL_LANGUAGE} == zh* ]]; then", *_zsh_functions(chinese), "else", *_zsh_functions(english)]
    return "\n".join([*lines, "fi", "", '_liangli "$@"']) + "\n"


def fish_completion(english: Command, chinese: Command) -> str:
    """The descriptions are in the language of the shell."""
    lines = ["# Completion of liangli for fish. Written from its commands.", "complete -c liangli -e"]
    lines += ['if string match -q "zh*" -- "$LC_ALL$LC_MESSAGES$LANG"', *_fish(chinese), "else", *_fish(english), "end"]
    return "\n".join(lines) + "\n"


_SHELL_LANGUAGE = "${LC_ALL:-${LC_MESSAGES:-$LANG}}"


def _slashed(command: Command) -> str:
    return "".join(f"/{word}" for word in command.path)


def _words(command: Command) -> Iterator[str]:
    yield from (below.path[-1] for below in command.commands)
    for operand in command.operands:
        yield from operand.choices
    for option in command.options:
        yield from option.flags


def _takes_files(command: Command) -> bool:
    # The program itself opens files.
    return not command.path or any(operand.is_file for operand in command.operands)


def _bash_value(option: Option) -> str:
    if option.choices:
        return f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$current")); return'
    if option.is_file:
        return "compopt -o default 2> /dev/null; return"
    return "return"


def _bash_files(command: Command) -> str:
    if not _takes_files(command):
        return ""
    return " files=models" if not command.path else " files=all"


def _zsh_functions(program: Command) -> Iterator[str]:
    for command in program.walk():
        yield f"{_function(command)}() {{"
        if command.commands:
            yield "    local context state state_descr line"
            yield "    typeset -A opt_args"
        arguments = [*_zsh_options(command), *_zsh_operands(command)]
        flags = "-C -s" if command.commands else "-s"
        yield f"    _arguments {flags} \\"
        yield " \\\n".join(f"        {argument}" for argument in arguments)
        if command.commands:
            yield "    case $state in"
            yield "        command)"
            below = " ".join(_quoted(f"{one.path[-1]}:{_zsh_words(one.short)}") for one in command.commands)
            yield f"            local -a commands=({below})"
            yield "            _describe -t commands command commands"
            if not command.path:
                yield "            _files -g '*.(#i)gguf'"
            yield "            ;;"
            yield "        rest)"
            yield "            case $line[1] in"
            for one in command.commands:
                yield f"                {one.path[-1]}) {_function(one)} ;;"
            if not command.path:
                yield "                *) _files -g '*.(#i)gguf' ;;"
            yield "            esac"
            yield "            ;;"
            yield "    esac"
        yield "}"


def _function(command: Command) -> str:
    return "_".join(("_liangli", *command.path))


def _zsh_options(command: Command) -> Iterator[str]:
    for option in command.options:
        others = "*" if option.repeated else f"({' '.join(option.flags)})"
        for flag in option.flags:
            value = f":{_zsh_words(option.value)}:{_zsh_value(option.choices, option.is_file)}" if option.value else ""
            yield _quoted(f"{others}{flag}[{_zsh_words(option.about)}]{value}")


def _zsh_operands(command: Command) -> Iterator[str]:
    if command.commands:
        yield from ("'1: :->command'", "'*:: :->rest'")
        return
    for place, operand in enumerate(command.operands, start=1):
        where = "*" if operand.repeated else str(place)
        optional = ":" if operand.optional and not operand.repeated else ""
        value = _zsh_value(operand.choices, operand.is_file)
        yield _quoted(f"{where}:{optional}{_zsh_words(operand.name)}:{value}")


def _zsh_value(choices: Iterable[str], is_file: bool) -> str:
    listed = " ".join(choices)
    return f"({listed})" if listed else "_files" if is_file else " "


def _zsh_words(text: str) -> str:
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text.replace("`", "\\`").replace("$", "\\$")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(program: Command) -> Iterator[str]:
    for command in program.walk():
        if not command.path:
            where = "__fish_use_subcommand"
        else:
            where = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.path)
            if command.commands:
                where += "; and not __fish_seen_subcommand_from " + " ".join(one.path[-1] for one in command.commands)
        condition = f"    complete -c liangli -n {_fish_quoted(where)}"
        if not _takes_files(command):
            yield f"{condition} -f"
        for one in command.commands:
            yield f"{condition} -a {one.path[-1]} -d {_fish_quoted(one.short)}"
        for operand in command.operands:
            if operand.choices:
                yield f"{condition} -a {_fish_quoted(' '.join(operand.choices))} -d {_fish_quoted(operand.about)}"
        for option in command.options:
            flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
            value = ""
            if option.value:
                value = " -x" if not option.is_file else " -r -F"
            if option.choices:
                value = f" -x -a {_fish_quoted(' '.join(option.choices))}"
            yield f"{condition} {flags}{value} -d {_fish_quoted(option.about)}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
