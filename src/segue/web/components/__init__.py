"""The parts that pages are made of. What they show is set as text, never as HTML."""
