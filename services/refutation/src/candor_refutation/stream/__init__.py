"""What comes in by topic: recorded generations, and the view that nominates spreads."""
