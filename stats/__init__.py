"""The statistics of diagnostic accuracy: arrays in, small frozen results out. Knows neither torch nor plotly."""
