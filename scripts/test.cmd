@echo off
rem Runs every check: format, lint, contracts, types, tests, and the real starter model. Ends with 0 only if all passed.
setlocal
call "%~dp0setup.cmd" test || exit /b 1
cd /d "%ROOT%"
set "PATH=%ROOT%\.venv\Scripts;%PATH%"
set "QT_QPA_PLATFORM=offscreen"
set "PYTHONUTF8=1"
set "RESULTS=%TEMP%\liangli-checks-%RANDOM%.txt"
set FAILURES=0
type nul > "%RESULTS%"
call :stage format ruff format --check .
call :stage lint ruff check .
call :stage contracts lint-imports
call :stage types mypy
call :stage tests pytest -m "not starter" -n logical --dist worksteal
call :stage fetch python scripts\fetch_starter.py
if errorlevel 1 (
    echo starter NOT RUN: there is no starter model>> "%RESULTS%"
    set /a FAILURES+=1
) else (
    call :stage starter pytest -m starter
)
echo.
echo == summary
type "%RESULTS%"
del "%RESULTS%"
if not "%FAILURES%"=="0" (
    echo Not everything passed.
    exit /b 1
)
echo All checks passed.
exit /b 0

:stage
echo.
echo == %*
for /f "tokens=1,*" %%A in ("%*") do set "COMMAND=%%B"
%COMMAND%
set CODE=%errorlevel%
if "%CODE%"=="0" (echo %1 passed>> "%RESULTS%") else if "%CODE%"=="75" (echo %1 NOT RUN>> "%RESULTS%") else (echo %1 FAILED %CODE%>> "%RESULTS%")
if not "%CODE%"=="0" set /a FAILURES+=1
exit /b %CODE%
