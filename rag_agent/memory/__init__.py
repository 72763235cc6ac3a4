"""What a conversation leaves behind: the checkpointer, its threads, and what a turn means in the light of the last ones."""
