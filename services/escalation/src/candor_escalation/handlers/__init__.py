"""What a command, a fact or the passing of time does, each in one transaction: lock, load, decide, save, publish."""
