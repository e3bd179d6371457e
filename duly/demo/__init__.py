"""`duly demo`: the real parts on loopback ports, invented letters, a clock that runs through a fortnight.

For: showing the main job in under a minute, with nothing but the embedded database.
May touch: what the front door may. Every person and letter here is invented.
"""
