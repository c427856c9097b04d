"""Networks, and the road from volumes to a predictions file. Needs the extra ``biomark[zoo]``."""
