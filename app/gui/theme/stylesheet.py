"""The application's one style sheet and palette, made from a theme. Widgets take part by object name or `kind`."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from app.gui.theme.tokens import RADIUS_LARGE, RADIUS_MEDIUM, RADIUS_SMALL, Theme


def palette(theme: Theme) -> QPalette:
    """Colours for what the style draws itself: selections, links, tool tips, standard dialogs."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.ground,
        role.Base: theme.surface,
        role.AlternateBase: theme.sunken,
        role.Button: theme.surface,
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.PlaceholderText: theme.text_third,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text,
        role.Mid: theme.border,
        role.Accent: theme.accent,
    }
    result = QPalette()
    for name, colour in colours.items():
        result.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.text_third))
    return result


def stylesheet(theme: Theme) -> str:
    """The style sheet of the whole application."""
    return _frames(theme) + _buttons(theme) + _tiles(theme) + _inputs(theme) + _lists(theme) + _scroll_bars(theme)


def _frames(t: Theme) -> str:
    return f"""
    * {{ outline: 0; }}
    QToolTip {{ background: {t.surface}; color: {t.text}; border: 1px solid {t.border_strong}; padding: 5px 8px; }}
    QMainWindow, QDialog, #page {{ background: {t.ground}; }}
    #side {{ background: {t.side}; border: 0; border-right: 1px solid {t.border}; }}
    #header {{ background: {t.ground}; border: 0; border-bottom: 1px solid {t.border}; }}
    #card {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: {RADIUS_LARGE}px; }}
    #card[chosen="true"] {{ border: 1px solid {t.accent}; }}
    #bubble {{ background: {t.accent_soft}; border-radius: {RADIUS_LARGE}px; }}
    #composer {{ background: {t.surface}; border: 1px solid {t.border_strong}; border-radius: 18px; }}
    #composer[focused="true"] {{ border: 1px solid {t.accent}; }}
    #code {{ background: {t.sunken}; border: 1px solid {t.border}; border-radius: {RADIUS_MEDIUM}px; }}
    #thoughts {{ background: transparent; border: 0; border-left: 2px solid {t.border_strong}; }}
    #notice {{ border: 0; border-radius: {RADIUS_MEDIUM}px; background: {t.hover}; }}
    #notice[tone="warn"] {{ background: {t.warn_soft}; }} #notice[tone="bad"] {{ background: {t.bad_soft}; }}
    #notice[tone="warn"] QLabel {{ color: {t.warn}; }} #notice[tone="bad"] QLabel {{ color: {t.bad}; }}
    #notice[tone="good"] {{ background: {t.good_soft}; }} #notice[tone="good"] QLabel {{ color: {t.good}; }}
    #badge {{ border: 0; border-radius: 12px; background: {t.hover}; color: {t.text_second}; }}
    #badge[tone="good"] {{ background: {t.good_soft}; }} #badge[tone="good"] QLabel {{ color: {t.good}; }}
    #badge[tone="warn"] {{ background: {t.warn_soft}; }} #badge[tone="warn"] QLabel {{ color: {t.warn}; }}
    #badge[tone="bad"] {{ background: {t.bad_soft}; }} #badge[tone="bad"] QLabel {{ color: {t.bad}; }}
    #panel {{ background: {t.ground}; border: 0; border-left: 1px solid {t.border}; }}
    #foot {{ background: {t.ground}; border: 0; border-top: 1px solid {t.border}; }}
    #machine {{ background: {t.accent_soft}; border: 0; border-radius: {RADIUS_MEDIUM}px; }}
    #machine[tone="warn"] {{ background: {t.warn_soft}; }} #machine[tone="warn"] QLabel {{ color: {t.warn}; }}
    #advice {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: {RADIUS_MEDIUM}px; }}
    #chip {{ background: {t.hover}; border: 0; border-radius: 8px; }}
    QLabel {{ background: transparent; color: {t.text}; }}
    QLabel[shade="2"] {{ color: {t.text_second}; }} QLabel[shade="3"] {{ color: {t.text_third}; }}
    """


def _buttons(t: Theme) -> str:
    return f"""
    QToolButton[kind="ghost"] {{ border: 1px solid transparent; border-radius: 8px; padding: 5px;
        background: transparent; color: {t.text_second}; }}
    QToolButton[kind="ghost"]:hover, QToolButton[kind="ghost"]:pressed {{ background: {t.hover}; color: {t.text}; }}
    QToolButton[kind="ghost"]:focus {{ border: 1px solid {t.accent}; }}
    QToolButton::menu-indicator {{ image: none; width: 0; }}
    QPushButton {{ border: 1px solid {t.border_strong}; border-radius: 9px; padding: 7px 16px;
        background: {t.surface}; color: {t.text}; }}
    QPushButton:hover {{ background: {t.hover}; }}
    QPushButton:focus {{ border: 1px solid {t.accent}; }}
    QPushButton:disabled {{ color: {t.text_third}; background: {t.hover}; border-color: {t.border}; }}
    QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border: 1px solid {t.accent}; }}
    QPushButton[kind="primary"]:hover {{ background: {t.accent_hover}; }}
    QPushButton[kind="primary"]:focus {{ border: 2px solid {t.text}; padding: 6px 15px; }}
    QPushButton[kind="primary"]:disabled {{ background: {t.hover}; color: {t.text_third};
        border: 1px solid {t.border}; }}
    QPushButton[kind="round"] {{ background: {t.accent}; border: 0; border-radius: 18px; padding: 0; }}
    QPushButton[kind="round"]:hover {{ background: {t.accent_hover}; }}
    QPushButton[kind="round"]:focus {{ border: 2px solid {t.text}; }}
    QPushButton[kind="round"]:disabled {{ background: {t.track}; }}
    QPushButton[kind="chip"] {{ border-radius: 14px; padding: 4px 12px; color: {t.text_second};
        background: transparent; border: 1px solid {t.border}; }}
    QPushButton[kind="chip"]:hover {{ background: {t.hover}; color: {t.text}; }}
    QPushButton[kind="chip"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[kind="row"] {{ border: 1px solid {t.border}; border-radius: 9px; padding: 8px 10px;
        background: {t.surface}; color: {t.text}; text-align: left; }}
    QPushButton[kind="row"]:hover {{ background: {t.hover}; }}
    QPushButton[kind="row"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[kind="pill"] {{ border: 1px solid {t.border}; border-radius: 12px; padding: 0;
        background: {t.surface}; }}
    QPushButton[kind="pill"]:hover {{ border: 1px solid {t.border_strong}; background: {t.hover}; }}
    QPushButton[kind="pill"]:focus {{ border: 1px solid {t.accent}; }}
    """


def _tiles(t: Theme) -> str:
    """Buttons that hold other widgets, and the entries of the sidebar."""
    return f"""
    QPushButton[kind="nav"] {{ border: 1px solid transparent; border-radius: 9px; padding: 8px 10px;
        background: transparent; color: {t.text}; text-align: left; }}
    QPushButton[kind="nav"]:hover {{ background: {t.hover}; }}
    QPushButton[kind="nav"]:checked {{ background: {t.surface}; border: 1px solid {t.border}; }}
    QPushButton[kind="nav"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[kind="tile"] {{ border: 1px solid {t.border}; border-radius: {RADIUS_LARGE}px; padding: 0;
        background: {t.surface}; }}
    QPushButton[kind="tile"]:hover {{ border: 1px solid {t.border_strong}; }}
    QPushButton[kind="tile"]:focus {{ border: 1px solid {t.accent}; background: {t.hover}; }}
    QPushButton[kind="tile"]:checked {{ border: 2px solid {t.accent}; }}
    QPushButton[kind="option"] {{ border: 1px solid transparent; border-radius: {RADIUS_MEDIUM}px; padding: 0;
        background: transparent; }}
    QPushButton[kind="option"]:hover {{ background: {t.hover}; }}
    QPushButton[kind="option"]:checked {{ background: {t.accent_soft}; }}
    QPushButton[kind="option"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[kind="option"]:disabled {{ background: transparent; }}
    QPushButton[kind="chip"]:checked {{ background: {t.accent_soft}; color: {t.text}; border: 1px solid {t.accent}; }}
    QPushButton[kind="chip"]:checked:focus {{ border: 2px solid {t.accent}; padding: 3px 11px; }}
    QPushButton[kind="words"] {{ border: 1px solid transparent; border-radius: 6px; padding: 1px 6px;
        background: transparent; color: {t.accent}; }}
    QPushButton[kind="words"]:hover {{ background: {t.hover}; color: {t.text}; }}
    #notice QPushButton[kind="words"] {{ color: {t.text}; border: 1px solid {t.border_strong}; padding: 0 9px; }}
    #notice QPushButton[kind="words"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[kind="words"]:focus {{ border: 1px solid {t.accent}; }}
    """


def _inputs(t: Theme) -> str:
    return f"""
    QLineEdit {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 9px; padding: 6px 10px;
        color: {t.text}; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QLineEdit:focus {{ border: 1px solid {t.accent}; }}
    QLineEdit:disabled {{ background: {t.hover}; color: {t.text_third}; }}
    QLineEdit[tone="bad"] {{ border: 1px solid {t.bad}; }}
    QTextBrowser, QPlainTextEdit, QTextEdit {{ background: transparent; border: 0; color: {t.text};
        selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QTextBrowser[shade="2"] {{ color: {t.text_second}; }}
    QPlainTextEdit#framed {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 9px; padding: 8px; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.track}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ height: 4px; background: {t.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -7px 0; border: 2px solid {t.accent};
        border-radius: 9px; background: {t.surface}; }}
    QSlider::handle:horizontal:hover {{ background: {t.accent_soft}; }}
    QSlider::handle:horizontal:focus {{ background: {t.accent}; border: 2px solid {t.text}; }}
    QProgressBar {{ background: {t.track}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    """


def _lists(t: Theme) -> str:
    return f"""
    QListView {{ background: transparent; border: 0; color: {t.text_second}; }}
    QListView QLineEdit {{ padding: 2px 6px; border-radius: {RADIUS_SMALL}px; }}
    QMenu {{ background: {t.surface}; border: 1px solid {t.border_strong}; border-radius: 10px; padding: 6px; }}
    QMenu::item {{ padding: 7px 28px 7px 12px; border-radius: {RADIUS_SMALL}px; color: {t.text}; }}
    QMenu::item:selected {{ background: {t.hover}; }}
    QMenu::item:disabled {{ color: {t.text_third}; }}
    QMenu::icon {{ padding-left: 10px; }}
    QMenu::indicator {{ width: 14px; height: 14px; padding-left: 10px; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 6px 8px; }}
    """


def _scroll_bars(t: Theme) -> str:
    return f"""
    QScrollArea {{ background: transparent; border: 0; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {t.border_strong}; border-radius: 3px; min-height: 36px; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px 8px; }}
    QScrollBar::handle:horizontal {{ background: {t.border_strong}; border-radius: 3px; min-width: 36px; }}
    QScrollBar::handle:hover {{ background: {t.text_third}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
