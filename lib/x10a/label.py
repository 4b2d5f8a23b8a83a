"""Labels of a service tool -> keys of channels.

slug("Leaving water temp. before BUH (R1T)")     -> "leaving_water_temp_before_buh_r1t"
slug("3way valve(On:DHW_Off:Space)")             -> "3way_valve"
"""


def slug(label: str) -> str:
    """Lower case letters and digits with single underscores; without what a bracket explains."""
    text = label.lower()
    start = text.find("(")
    while start >= 0:
        end = text.find(")", start)
        if end < 0:
            break
        if ":" in text[start:end]:  # "(0:Stby 1:On)" explains values
            text = text[:start] + " " + text[end + 1 :]
        start = text.find("(", start + 1)
    words = []
    word = ""
    for character in text + " ":
        if "a" <= character <= "z" or "0" <= character <= "9":
            word += character
        elif word:
            words.append(word)
            word = ""
    return "_".join(words) or "unnamed"
