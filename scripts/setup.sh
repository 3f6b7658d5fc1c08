#!/bin/sh
# shellcheck disable=SC2154 # root is set by the scripts that read this file
# Shared by scripts/run and scripts/test, which set $root: brings .venv and the system's packages into shape.
# A set-up that was completed for this pyproject.toml at this place is recognized by its stamp in a few milliseconds.

setup_log="$root/.venv/setup.log"

# say CHINESE ENGLISH: one line on standard error in the user's language.
say() {
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        zh* | ZH*) printf '%s\n' "$1" >&2 ;;
        *) printf '%s\n' "$2" >&2 ;;
    esac
}

# prepare run|test: returns 0 when everything is ready. The window's libraries are asked for by tests, and by
# scripts/run where there is a display.
prepare() {
    wanted=$1
    window=no
    if [ "$wanted" = test ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then window=yes; fi
    mark="$(cksum <"$root/pyproject.toml") $root"
    has_stamp "$wanted" || has_stamp test || {
        say "首次准备，需要几分钟：要安装依赖，并在本机编译推理引擎 llama.cpp（通常 3–6 分钟）。以后启动不再需要。" \
            "Setting up, which takes some minutes once: dependencies are installed and the engine, llama.cpp, is compiled (3-6 minutes)."
        provide_system_packages || return 1
        provide_environment || return 1
        install_project || return 1
        put_stamp "$wanted"
        say "准备好了。" "Everything is ready."
    }
    has_stamp "system-$window" || has_stamp system-yes || provide_system_packages
}

has_stamp() {
    [ -f "$root/.venv/ready-$1" ] && read -r line <"$root/.venv/ready-$1" && [ "$line" = "$mark" ]
}

put_stamp() {
    printf '%s\n' "$mark" >"$root/.venv/ready-$1"
}

# ---- packages of the system

# Shared libraries that PySide6 loads, each with the Debian package that brings it.
window_libraries="libEGL.so.1:libegl1 libGL.so.1:libgl1 libOpenGL.so.0:libopengl0 libglib-2.0.so.0:libglib2.0-0
libxkbcommon.so.0:libxkbcommon0 libxkbcommon-x11.so.0:libxkbcommon-x11-0 libX11-xcb.so.1:libx11-xcb1
libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-image.so.0:libxcb-image0
libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-randr.so.0:libxcb-randr0 libxcb-render-util.so.0:libxcb-render-util0
libxcb-shape.so.0:libxcb-shape0 libxcb-sync.so.1:libxcb-sync1 libxcb-xfixes.so.0:libxcb-xfixes0
libxcb-xkb.so.1:libxcb-xkb1 libdbus-1.so.3:libdbus-1-3 libfontconfig.so.1:libfontconfig1
libwayland-client.so.0:libwayland-client0 libwayland-cursor.so.0:libwayland-cursor0"

find_python() {
    for candidate in ${LIANGLI_PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

has_chinese_font() {
    if command -v fc-list >/dev/null 2>&1; then
        [ -n "$(fc-list :lang=zh-cn file 2>/dev/null | head -n 1)" ]
    else
        find /usr/share/fonts /usr/local/share/fonts "${HOME:-/}/.fonts" "${HOME:-/}/.local/share/fonts" 2>/dev/null |
            grep -qiE 'cjk|wqy|sourcehan|droidsansfallback|simsun|msyh|pingfang'
    fi
}

provide_system_packages() {
    needed= # without these nothing works
    useful= # without these there is no window, or no Chinese in it
    if python=$(find_python); then
        "$python" -c 'import venv, ensurepip' 2>/dev/null || needed="$needed $(basename "$python" | sed 's/^\(python3\(\.[0-9]*\)\{0,1\}\).*/\1/')-venv"
    else
        needed="$needed python3 python3-venv"
    fi
    command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || command -v clang++ >/dev/null 2>&1 || needed="$needed g++"
    if [ "$window" = yes ] && [ "$(uname -s)" = Linux ]; then
        known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)
        for pair in $window_libraries; do
            case "$known" in *"${pair%%:*} "*) ;; *) useful="$useful ${pair#*:}" ;; esac
        done
        has_chinese_font || useful="$useful fonts-noto-cjk"
    fi
    # shellcheck disable=SC2086 # lists of package names
    if [ -z "$needed$useful" ] || install_packages $needed $useful; then
        python=$(find_python) || return 1
        mkdir -p "$root/.venv"
        put_stamp "system-$window"
        return 0
    fi
    if [ -n "$needed" ] || [ "$wanted" = test ]; then return 1; fi
    say "先继续：在缺少这些软件包之前，窗口可能打不开，或显示不了中文；可以用终端对话。" \
        "Going on without them: the window may not open or not show Chinese; the terminal chat works."
}

install_packages() {
    say "缺少的系统软件包：$*" "Missing system packages: $*"
    if ! command -v apt-get >/dev/null 2>&1; then
        say "请用系统的软件包管理器安装（以上是 Debian 的包名）。" \
            "Please install them with your system's package manager (the names above are Debian's)."
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "请运行：" "Please run:"
        printf '    sudo apt-get install -y --no-install-recommends %s\n' "$*" >&2
        return 1
    fi
    mkdir -p "$root/.venv"
    say "正在安装这些软件包（apt-get）。" "Installing them with apt-get."
    watched "apt-get" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"' - "$@"
}

# ---- Python environment

provide_environment() {
    place="$root/.venv/place"
    # A virtual environment that was moved starts programs of its old place.
    if [ -x "$root/.venv/bin/python" ] && { [ ! -f "$place" ] || [ "$(cat "$place")" = "$root" ]; } &&
        "$root/.venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        printf '%s\n' "$root" >"$place"
        return 0
    fi
    say "正在创建 Python 环境 .venv（$python）。" "Making the Python environment .venv ($python)."
    mkdir -p "$root/.venv"
    watched "venv" "$python" -m venv --clear "$root/.venv" || return 1
    printf '%s\n' "$root" >"$place"
}

install_project() {
    what=$root
    [ "$wanted" = test ] && what="${root}[dev]"
    say "正在安装 Python 依赖，详细过程见 $setup_log" "Installing the Python dependencies; details are in $setup_log"
    watched "pip" "$root/.venv/bin/python" -m pip install --disable-pip-version-check --no-input -e "$what"
}

# watched NAME COMMAND…: run it with its output in the log file; show that time passes, and on failure the log's end.
watched() {
    name=$1
    shift
    keep=$(mktemp) || return 1 # `venv --clear` empties the folder of the log
    "$@" >"$keep" 2>&1 </dev/null &
    worker=$!
    # Whoever is stopped here has children of its own (a compiler): the whole process group goes.
    trap 'trap - TERM; rm -f "$keep"; kill 0' INT TERM
    seconds=0
    while kill -0 "$worker" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        step=$(tail -n 1 "$keep" 2>/dev/null | tr -d '\r' | cut -c 1-60)
        if [ -t 2 ]; then
            printf '\r\033[K  %s %d:%02d  %s' "$name" $((seconds / 60)) $((seconds % 60)) "$step" >&2
        elif [ $((seconds % 30)) = 0 ]; then
            printf '  %s %d:%02d  %s\n' "$name" $((seconds / 60)) $((seconds % 60)) "$step" >&2
        fi
    done
    [ -t 2 ] && printf '\r\033[K' >&2
    wait "$worker"
    ended=$?
    trap - INT TERM
    mkdir -p "$root/.venv"
    cat "$keep" >>"$setup_log"
    if [ "$ended" != 0 ]; then
        say "$name 失败了（$ended），最后的输出：" "$name failed ($ended); its last lines:"
        tail -n 25 "$keep" | sed 's/^/    /' >&2
    fi
    rm -f "$keep"
    return "$ended"
}
