@echo off
rem Shared by run.cmd and test.cmd: call setup.cmd run^|test. Brings .venv into shape; sets ROOT.
for %%I in ("%~dp0..") do set "ROOT=%%~fI"
set "STAMP=%ROOT%\.venv\ready-%1.toml"
rem A set-up that was completed is known by its copy of pyproject.toml.
if exist "%STAMP%" (
    fc /b "%ROOT%\pyproject.toml" "%STAMP%" >nul 2>&1 && exit /b 0
)
if "%1"=="run" if exist "%ROOT%\.venv\ready-test.toml" (
    fc /b "%ROOT%\pyproject.toml" "%ROOT%\.venv\ready-test.toml" >nul 2>&1 && exit /b 0
)

set "PYTHON="
for %%V in (3.13 3.12 3.11 3.14) do (
    if not defined PYTHON py -%%V -c "import venv" >nul 2>&1 && set "PYTHON=py -%%V"
)
if not defined PYTHON (
    python -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 && set "PYTHON=python"
)
if not defined PYTHON (
    echo Python 3.11 or newer is needed: https://www.python.org/downloads/windows/ 1>&2
    exit /b 1
)
set "VSWHERE=%ProgramFiles(x86)%\Microsoft Visual Studio\Installer\vswhere.exe"
set "COMPILER="
where cl >nul 2>&1 && set "COMPILER=yes"
if exist "%VSWHERE%" (
    for /f "delims=" %%P in ('"%VSWHERE%" -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath') do set "COMPILER=yes"
)
if not defined COMPILER (
    echo A C++ compiler is needed: "Build Tools for Visual Studio" with "Desktop development with C++". 1>&2
    exit /b 1
)

echo Setting up, which takes some minutes once: dependencies are installed and the engine, llama.cpp, is compiled. 1>&2
if not exist "%ROOT%\.venv\Scripts\python.exe" (
    %PYTHON% -m venv "%ROOT%\.venv" || exit /b 1
)
set "WHAT=%ROOT%"
if "%1"=="test" set "WHAT=%ROOT%[dev]"
echo Details are in %ROOT%\.venv\setup.log 1>&2
"%ROOT%\.venv\Scripts\python.exe" -m pip install --disable-pip-version-check --no-input -e "%WHAT%" > "%ROOT%\.venv\setup.log" 2>&1
if errorlevel 1 (
    echo The installation failed; its last lines: 1>&2
    powershell -NoProfile -Command "Get-Content -Tail 25 -LiteralPath '%ROOT%\.venv\setup.log'" 1>&2
    exit /b 1
)
copy /y "%ROOT%\pyproject.toml" "%STAMP%" >nul
echo Everything is ready. 1>&2
exit /b 0
