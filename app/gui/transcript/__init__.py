"""The messages of a chat: Markdown in segments, shown in widgets that exist only near what is seen."""
