"""The language and the theme that the window shows now; widgets redraw themselves when `changed` is emitted."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QLibraryInfo, QObject, Qt, QTranslator, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.gui.theme import fonts, stylesheet
from app.gui.theme.tokens import DARK, LIGHT, Theme
from app.settings import Theme as ThemeChoice
from app.values import Language
from resources import wording


class Look(QObject):
    """One per window; lives in the Qt thread."""

    changed = Signal()

    def __init__(self, language: Language, theme_choice: ThemeChoice = "system") -> None:
        super().__init__()
        self._language = language
        self._theme_choice = theme_choice
        self._qt_words = QTranslator(self)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_desktop)
        self._apply()

    @property
    def language(self) -> Language:
        return self._language

    @property
    def theme_choice(self) -> ThemeChoice:
        """What the user chose; `theme` is what that means now."""
        return self._theme_choice

    @property
    def theme(self) -> Theme:
        if self._theme_choice == "system":
            dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if dark else LIGHT
        return DARK if self._theme_choice == "dark" else LIGHT

    def say(self, key: str, **fields: Any) -> str:
        """The text `gui.KEY` in the language of the window."""
        return wording.text(f"gui.{key}", self._language, **fields)

    def speak(self, language: Language) -> None:
        """Change the language."""
        if language != self._language:
            self._language = language
            self._apply()

    def wear(self, choice: ThemeChoice) -> None:
        """Change the theme."""
        if choice != self._theme_choice:
            self._theme_choice = choice
            self._apply()

    def _follow_desktop(self) -> None:
        if self._theme_choice == "system":
            self._apply()

    def _apply(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setPalette(stylesheet.palette(self.theme))
            app.setFont(fonts.ui_font())
            sheet = stylesheet.stylesheet(self.theme)
            if app.styleSheet() != sheet:  # setting it polishes every widget anew
                app.setStyleSheet(sheet)
            self._translate_qt(app)
        self.changed.emit()

    def _translate_qt(self, app: QApplication) -> None:
        """Qt's own words: standard buttons and the context menus of text fields."""
        app.removeTranslator(self._qt_words)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._language == "zh" and self._qt_words.load("qtbase_zh_CN", folder):
            app.installTranslator(self._qt_words)
