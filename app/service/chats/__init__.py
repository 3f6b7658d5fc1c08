"""Chats: their database and the answers that are being written into it."""
