"""What comes in by topic: recorded generations, asks of rights, and the view that nominates spreads."""
