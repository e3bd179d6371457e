"""Telegram both ways: alerts and steps for staff, the complaint form as a conversation for complainants.

For: people who are not at a desk. May touch: data, triage, procedure; never intake or scheduler.
Not furnished yet: the floor is laid so that what comes stands in its place.
"""
