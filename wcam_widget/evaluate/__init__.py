"""How good an explanation is: measures of single maps and of maps over data sets."""
