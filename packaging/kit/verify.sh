#!/bin/sh
# Compares every file of this folder with SHA256SUMS.
# 将这个文件夹里的每个文件与 SHA256SUMS 核对。
cd "$(dirname "$0")" || exit 1
if command -v sha256sum >/dev/null 2>&1; then
    check() { sha256sum -c SHA256SUMS 2>/dev/null; }
else
    check() { shasum -a 256 -c SHA256SUMS 2>/dev/null; }
fi
found=$(LC_ALL=C check)
good=$?
printf '%s\n' "$found" | grep -v ': OK$'
if [ "$good" -eq 0 ]; then
    echo "完整无误。 All files are whole."
    exit 0
fi
echo "有文件损坏或缺失，请重新复制。 Files are damaged or missing; copy them again." >&2
exit 1
