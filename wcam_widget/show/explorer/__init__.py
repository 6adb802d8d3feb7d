"""The explorer: a widget, the session it shows, and what travels between them."""
