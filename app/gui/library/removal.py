"""The question before a model is removed: what is deleted, or that nothing is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget

from app.gui.dialogs import Question
from app.gui.library.rows import place_name
from app.gui.look import Look
from app.values import LocalModel, ModelRemoval
from app.words import shown_bytes
from resources.wording import text

LONGEST_NAME = 80


def ask_to_remove(look: Look, parent: QWidget, model: LocalModel, removal: ModelRemoval, *, loaded: bool) -> bool:
    """Whether the user wants it. The files are named, all of them, before anything is deleted."""
    language, name = look.language, model.name[:LONGEST_NAME]
    if removal.paths:
        title = text("shelf.remove.title", language, name=name)
        key = "text_in_use" if loaded else "text"
        size = shown_bytes(removal.freed_bytes)
        explained = text(f"shelf.remove.{key}", language, count=len(removal.paths), size=size)
        yes, framed = text("shelf.remove.yes", language), "\n".join(removal.paths)
    else:
        title = text("shelf.remove.forget_title", language, name=name)
        yes, framed = text("shelf.remove.forget_yes", language), model.path
        if model.missing:
            explained = text("shelf.remove.forget_missing", language)
        elif model.place in ("library", "added"):
            explained = text("shelf.remove.forget_text", language)
        else:
            explained = text("shelf.remove.forget_program", language, program=place_name(model.place, language))
    return Question(look, parent, title, explained, yes, framed).exec() == QDialog.DialogCode.Accepted
