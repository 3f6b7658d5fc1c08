#!/bin/sh
# Tells the desktop of this user about the Liangli in this folder. `--portable` instead lets it keep everything here.
# shellcheck disable=SC1111
set -eu
umask 022

@WORDS@

id=io.github.liangli.Liangli
here=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/bin

# The path as a desktop entry's Exec wants it: in quotes, and its special characters escaped twice.
exec_line() {
    printf 'Exec="%s" %%U\n' "$(printf '%s' "$1" | sed -e 's/\\/\\\\\\\\/g' -e 's/["`$]/\\\\&/g' -e 's/%/%%/g')"
}

# Copies the files below share/ to where the desktop of this user looks, and writes down which those are.
copy_shared() {
    (cd "$here/share" && find . -type f) | sed 's,^\./,,' | sort >"$here/installed-files.new"
    while read -r name; do
        mkdir -p "$data/$(dirname "$name")"
        cp "$here/share/$name" "$data/$name"
    done <"$here/installed-files.new"
    mv "$here/installed-files.new" "$here/installed-files"
    exec_line "$here/liangli" >"$here/installed-entry"
    {
        grep -v '^Exec=' "$here/share/applications/$id.desktop"
        cat "$here/installed-entry"
    } >"$data/applications/$id.desktop"
}

# The command in the terminal; a program of this name that is not ours stays.
link_command() {
    mkdir -p "$programs"
    if [ -L "$programs/liangli" ] || [ ! -e "$programs/liangli" ]; then
        ln -sf "$here/liangli" "$programs/liangli"
        case ":$PATH:" in
        *":$programs:"*) say "终端里的命令：liangli" "The command in a terminal: liangli" ;;
        *) say "终端里的命令：$programs/liangli（重新登录后通常可以直接写 liangli）" \
            "The command in a terminal: $programs/liangli (after the next login usually just liangli)" ;;
        esac
    else
        say "“${programs}/liangli”已存在，没有改动；终端里请用“${here}/liangli”。" \
            "“${programs}/liangli” exists and was left alone; in a terminal use “${here}/liangli”."
    fi
}

tell_desktop() {
    update-desktop-database "$data/applications" 2>/dev/null || :
    update-mime-database "$data/mime" 2>/dev/null || :
    # Without a cache of this folder icons are looked for in the folder itself, once its time tells of a change.
    touch "$data/icons/hicolor"
}

# What the window needs of the system and does not find.
name_missing() {
    missing=$(LD_LIBRARY_PATH=$here/_internal ldd "$here"/_internal/PySide6/Qt/plugins/platforms/libqxcb.so \
        "$here"/_internal/PySide6/Qt/plugins/platforms/libqwayland.so \
        "$here"/_internal/engine/llama_cpp/lib/libggml-base.so.0 2>/dev/null |
        sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p' | sort -u | tr '\n' ' ')
    if [ -n "$missing" ]; then
        say "这个系统还缺少：$missing
在 Debian、Ubuntu 上：sudo apt install @PACKAGES@" \
            "This system lacks: $missing
On Debian and Ubuntu: sudo apt install @PACKAGES@" >&2
    fi
}

case "${1:-}" in
'')
    if [ -e "$here/portable" ]; then
        fail "这里是便携模式，数据写在程序旁边。要安装到应用菜单，请先删除文件“${here}/portable”。" \
            "This copy is portable and keeps its data beside the program. To add it to the menu, remove the file “${here}/portable” first."
    fi
    copy_shared
    tell_desktop
    say "量力已安装在“${here}”，可从应用菜单打开。" "Liangli is installed in “${here}”; open it from the menu."
    link_command
    name_missing
    ;;
--portable)
    : >"$here/portable" || fail "不能写入“${here}”，便携模式需要可写的文件夹。" "“${here}” cannot be written, and portable mode needs that."
    say "便携模式：运行“${here}/liangli”，所有数据都写在“${here}/data”。" \
        "Portable mode: run “${here}/liangli”; all data is kept in “${here}/data”."
    name_missing
    ;;
*)
    say "用法：install [--portable]" "Usage: install [--portable]" >&2
    exit 2
    ;;
esac
exit
