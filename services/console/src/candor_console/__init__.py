"""The web page for privacy officer, on-call and auditor."""
