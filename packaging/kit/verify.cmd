@echo off
rem Compares every file of this folder with SHA256SUMS.
chcp 65001 >nul
setlocal EnableDelayedExpansion
cd /d "%~dp0"
set "bad="
for /f "usebackq tokens=1,*" %%a in ("SHA256SUMS") do (
  set "name=%%b"
  set "name=!name:/=\!"
  set "found="
  for /f "skip=1 delims=" %%h in ('certutil -hashfile "!name!" SHA256 2^>nul') do if not defined found set "found=%%h"
  if defined found set "found=!found: =!"
  if /i not "!found!"=="%%a" (
    echo !name!
    set "bad=1"
  )
)
if defined bad (
  echo 以上文件损坏或缺失，请重新复制。 The files above are damaged or missing; copy them again.
) else (
  echo 完整无误。 All files are whole.
)
pause
if defined bad exit /b 1
