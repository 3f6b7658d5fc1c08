#!/bin/sh
# Removes the Liangli in this folder, and what is asked for of the user's chats and models.
# shellcheck disable=SC1111
set -eu

@WORDS@

here=$(cd "$(dirname "$0")" && pwd)
shared=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/bin

usage() {
    say "用法：uninstall [--keep-data | --remove-data]
  不带选项时会询问是否删除对话和模型；不在终端里运行时全部保留。" \
        "Usage: uninstall [--keep-data | --remove-data]
  Without an option it asks about chats and models; away from a terminal both stay."
}

# ask CHINESE ENGLISH: whether the user types y. Without a terminal the answer is no.
ask() {
    [ "$answers" != no ] || return 1
    [ "$answers" != yes ] || return 0
    if [ -n "$chinese" ]; then printf '%s [y/N] ' "$1"; else printf '%s [y/N] ' "$2"; fi
    read -r answer || answer=''
    case "$answer" in [yY] | [yY][eE][sS] | 是) return 0 ;; *) return 1 ;; esac
}

remove_integration() {
    if [ -f "$here/installed-files" ]; then
        # Never another copy's: the desktop entry tells whose files these are.
        entry=$shared/applications/io.github.liangli.Liangli.desktop
        if [ ! -e "$entry" ] || grep -qxF -f "$here/installed-entry" "$entry"; then
            while read -r name; do
                rm -f "$shared/$name"
                rmdir -p "$shared/$(dirname "$name")" 2>/dev/null || :
            done <"$here/installed-files"
        fi
    fi
    if [ "$(readlink "$programs/liangli" 2>/dev/null || :)" = "$here/liangli" ]; then rm -f "$programs/liangli"; fi
    tell_desktop
}

# Lists that the desktop made of our files alone go with them.
tell_desktop() {
    if [ -d "$shared/mime/packages" ] && [ -n "$(ls -A "$shared/mime/packages")" ]; then
        update-mime-database "$shared/mime" 2>/dev/null || :
    elif [ -f "$shared/mime/mime.cache" ]; then
        rm -rf "$shared/mime"
    fi
    update-desktop-database "$shared/applications" 2>/dev/null || :
    if [ "$(ls -A "$shared/applications" 2>/dev/null)" = mimeinfo.cache ]; then rm -r "$shared/applications"; fi
}

# Chats and models, in the folder that is Liangli's alone.
remove_data() {
    if [ ! -d "$data" ]; then return; fi
    if [ -d "$data/models" ]; then
        size=$(du -sh "$data/models" | cut -f 1)
        if ask "删除下载的模型（$size，“${data}/models”）？" "Remove the downloaded models ($size, “${data}/models”)?"; then
            rm -rf "$data/models"
        fi
    fi
    if ask "删除对话和设置（“${data}”）？删除后无法恢复。" "Remove chats and settings (“${data}”)? They cannot be brought back."; then
        for path in "$data"/* "$data"/.[!.]*; do
            if [ "$path" != "$data/models" ]; then rm -rf "$path"; fi
        done
    fi
    if rmdir "$data" 2>/dev/null; then return; fi
    say "保留在这里：“${data}”" "Kept here: “${data}”"
}

main() {
    answers=''
    case "${1:-}" in
    '') if [ ! -t 0 ]; then answers=no; fi ;;
    --keep-data) answers=no ;;
    --remove-data) answers=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    if [ ! -d "$here/_internal" ]; then fail "这里没有量力：“${here}”" "Liangli is not here: “${here}”"; fi
    if [ -e "$here/portable" ] || [ -d "$here/data" ]; then data=$here/data; else data=$shared/liangli; fi
    if [ -n "${LIANGLI_HOME:-}" ]; then
        say "数据在 LIANGLI_HOME 指定的“${LIANGLI_HOME}”，不会改动。" "The data is in “${LIANGLI_HOME}” (LIANGLI_HOME) and stays as it is."
        data=''
    fi
    "$here/liangli" stop >/dev/null 2>&1 || :
    remove_integration
    if [ -n "$data" ]; then remove_data; fi
    cd /
    for name in @PROGRAM_FILES@ installed-files installed-entry portable; do rm -rf "${here:?}/$name"; done
    rmdir "$here" 2>/dev/null || :
    say "量力已卸载。" "Liangli is removed."
}

main "$@"
exit
