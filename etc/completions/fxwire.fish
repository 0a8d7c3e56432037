# Completion of fxwire for fish.
@table fish
