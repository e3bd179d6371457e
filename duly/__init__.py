"""The front door: the one place where the parts meet.

For: settings, the command line, starting and stopping the service, the demo.
May touch: every room; no room imports it. The only room that reads the machine's clock and environment.
"""
