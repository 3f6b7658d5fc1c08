# Language and sentences, the same in the self-extracting file, `install` and `uninstall`.
case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
[zZ][hH]*.[uU][tT][fF]*) chinese=yes ;;
*) chinese='' ;;
esac

# say CHINESE ENGLISH: one of them, as a line.
say() {
    if [ -n "$chinese" ]; then printf '%s\n' "$1"; else printf '%s\n' "$2"; fi
}

fail() {
    say "$1" "$2" >&2
    exit 1
}
