#!/bin/sh
# Liangli (量力) @VERSION@: unpacks itself. `sh FILE --help` says what it can do.
# It needs sh, tar, sha256sum and the tools that every system has; no Python, no xz, no administrator.
# shellcheck disable=SC1111
set -eu
umask 022

version='@VERSION@'
glibc_needed='@GLIBC@'
unpacked_kib='@UNPACKED_KIB@'
header_bytes=@HEADER_BYTES@
tool_bytes=@TOOL_BYTES@
payload_bytes=@PAYLOAD_BYTES@
payload_sha256='@PAYLOAD_SHA256@'

@WORDS@

usage() {
    say "量力 $version 安装程序

  sh $0 [选项]

  不带选项          为当前用户安装，不需要管理员权限；加入应用菜单，并提供 liangli 命令
  --target 文件夹   装到这个文件夹（默认 ~/.local/share/liangli-app）
  --portable        便携模式：只解压到 --target（默认当前目录下的 liangli），不动系统；
                    对话、设置、模型、日志都写在程序旁边的 data 文件夹里
  --check           只检查这个文件是否完整
  --help            显示这段说明

升级：直接再运行新版本的安装程序，对话、设置和模型都会保留。卸载：运行安装文件夹里的 uninstall。" \
        "Liangli $version installer

  sh $0 [OPTIONS]

  without options   install for this user, no administrator needed: with a menu entry and the command liangli
  --target FOLDER   install into this folder (otherwise ~/.local/share/liangli-app)
  --portable        portable mode: only unpack into --target (otherwise ./liangli) and leave the system alone;
                    chats, settings, models and logs are kept beside the program, in its folder data
  --check           only check whether this file is complete
  --help            show this

To upgrade, run the installer of the new version; chats, settings and models stay. To remove it, run uninstall in the
folder of the program."
}

# part OFFSET SIZE: these bytes of this file.
part() {
    tail -c +"$(($1 + 1))" "$0" | head -c "$2"
}

check_file() {
    size=$(($(wc -c <"$0")))
    if [ "$size" -ne $((header_bytes + tool_bytes + payload_bytes)) ]; then
        fail "这个文件不完整（$size 字节，应为 $((header_bytes + tool_bytes + payload_bytes)) 字节），请重新下载。" \
            "This file is incomplete ($size bytes, not $((header_bytes + tool_bytes + payload_bytes))). Please download it again."
    fi
    found=$(part $((header_bytes + tool_bytes)) "$payload_bytes" | sha256sum | cut -d ' ' -f 1)
    if [ "$found" != "$payload_sha256" ]; then
        fail "这个文件已损坏（校验值不符），请重新下载。" "This file is damaged (its hash is wrong). Please download it again."
    fi
}

check_system() {
    machine=$(uname -m)
    if [ "$machine" != x86_64 ]; then
        fail "这个安装包只适用于 64 位 x86 电脑（x86_64），这台电脑是 $machine。" \
            "This package is for 64-bit x86 computers (x86_64); this one is $machine."
    fi
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2) || glibc=
    if [ -z "$glibc" ]; then
        fail "量力需要 glibc $glibc_needed 或更新的版本，这个系统用的不是 glibc。" \
            "Liangli needs glibc $glibc_needed or newer; this system has no glibc."
    fi
    oldest=$(printf '%s\n%s\n' "$glibc" "$glibc_needed" | sort -t . -k 1,1n -k 2,2n | head -n 1)
    if [ "$oldest" != "$glibc_needed" ]; then
        fail "这个系统太旧：量力需要 glibc $glibc_needed 或更新的版本（例如 Debian 12、Ubuntu 22.04、deepin 23），这里是 $glibc。什么都没有安装。" \
            "This system is too old: Liangli needs glibc $glibc_needed or newer (Debian 12, Ubuntu 22.04, deepin 23, for example), and here it is $glibc. Nothing was installed."
    fi
}

# The program's own files may be replaced, nobody else's.
check_target() {
    if [ -e "$target" ] && [ ! -d "$target" ]; then
        fail "“${target}”不是文件夹。" "“${target}” is not a folder."
    fi
    if [ -d "$target" ] && [ ! -d "$target/_internal" ] && [ -n "$(ls -A "$target")" ]; then
        fail "文件夹“${target}”里有别的文件，请用 --target 选一个空的或新的文件夹。什么都没有改动。" \
            "The folder “${target}” holds other files. Choose an empty or a new one with --target. Nothing was changed."
    fi
    if ! mkdir -p "$target" 2>/dev/null || [ ! -w "$target" ]; then
        fail "不能写入“${target}”，请用 --target 选别的文件夹。" "“${target}” cannot be written. Choose another folder with --target."
    fi
    target=$(cd "$target" && pwd)
    free=$(df -Pk "$target" | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9-][0-9]*% .*/\1/p')
    if [ "${free:-$((unpacked_kib * 2))}" -lt $((unpacked_kib + 20480)) ]; then
        fail "“${target}”所在的磁盘空间不够：需要 $((unpacked_kib / 1024 + 20)) MB，只剩 $((free / 1024)) MB。" \
            "There is too little space for “${target}”: $((unpacked_kib / 1024 + 20)) MB are needed, $((free / 1024)) MB are free."
    fi
}

unpack() {
    new=$target/.new-$$
    trap 'rm -rf "$new"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir "$new"
    part "$header_bytes" "$tool_bytes" >"$new/unxz"
    chmod 755 "$new/unxz"
    "$new/unxz" </dev/null 2>/dev/null || [ $? -eq 1 ] ||
        fail "“${target}”所在的磁盘不允许运行程序（noexec），请用 --target 选别的文件夹。" \
            "Programs cannot be run from the disk of “${target}” (noexec). Choose another folder with --target."
    part $((header_bytes + tool_bytes)) "$payload_bytes" | "$new/unxz" | tar -x -f - -C "$new" ||
        fail "解压失败，什么都没有改动。" "Unpacking failed. Nothing was changed."
    if [ ! -x "$new/liangli/liangli" ] || [ ! -x "$new/liangli/install" ]; then
        fail "解压失败，什么都没有改动。" "Unpacking failed. Nothing was changed."
    fi
}

# What is there of an older version steps aside until the new one is in place.
put_in_place() {
    if [ -x "$target/liangli" ]; then "$target/liangli" stop >/dev/null 2>&1 || :; fi
    mkdir "$new/old"
    trap '' INT TERM HUP
    trap 'say "没有装完，旧的文件在“${new}/old”。" "Not finished; the old files are in “${new}/old”." >&2' EXIT
    for path in "$new/liangli"/*; do
        name=${path##*/}
        if [ -e "$target/$name" ]; then mv "$target/$name" "$new/old/$name"; fi
        mv "$path" "$target/$name"
    done
}

main() {
    target='' portable='' only_check=''
    while [ $# -gt 0 ]; do
        case "$1" in
        --target)
            if [ -z "${2:-}" ]; then fail "--target 后面要写一个文件夹。" "--target needs a folder."; fi
            target=$2
            shift
            ;;
        --target=?*) target=${1#--target=} ;;
        --portable) portable=yes ;;
        --check) only_check=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) fail "没有“${1}”这个选项，请看 --help。" "There is no option “${1}”; see --help." ;;
        esac
        shift
    done
    check_file
    if [ -n "$only_check" ]; then
        say "文件完整：量力 $version。" "The file is complete: Liangli $version."
        exit 0
    fi
    check_system
    if [ -z "$target" ]; then
        if [ -n "$portable" ]; then target=./liangli; else target=${XDG_DATA_HOME:-$HOME/.local/share}/liangli-app; fi
    fi
    check_target
    say "正在解压到“${target}” ……" "Unpacking into “${target}” …"
    unpack
    put_in_place
    trap - EXIT INT TERM HUP
    rm -rf "$new"
    if [ -n "$portable" ]; then exec "$target/install" --portable; else exec "$target/install"; fi
}

main "$@"
exit
