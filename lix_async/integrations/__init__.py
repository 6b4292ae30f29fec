"""Other people's engines and frameworks. Each needs its extra; nothing below imports them."""
