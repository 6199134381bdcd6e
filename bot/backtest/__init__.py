"""Replays recorded history through the code that runs live, and sums up what it would have done.

A room of its own beside the stages: it drives `assess` on a simulated clock, and a planner through a port.
"""
