"""The commands, a file per wish: letters and cases, steps, texts, the service itself.

Each command does three things: settings, app, call. Heavy imports stand inside the commands that need them.
"""
