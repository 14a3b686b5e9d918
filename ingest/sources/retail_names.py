"""The till's shorthand in words: "SFT DRNK MLT-PK BTL CARB (EXCP" becomes "Soft drink multi-pack bottle carbonated"."""

import re

import polars as pl

DEPARTMENTS = {
    "GROCERY": "Grocery",
    "DRUG GM": "Drugstore and household",
    "PRODUCE": "Fruit and vegetables",
    "COSMETICS": "Cosmetics",
    "NUTRITION": "Natural foods",
    "MEAT": "Meat",
    "MEAT-PCKGD": "Packaged meat",
    "DELI": "Deli",
    "PASTRY": "Bakery",
    "FLORAL": "Flowers",
    "SEAFOOD-PCKGD": "Packaged seafood",
    "SPIRITS": "Spirits",
    "SEAFOOD": "Seafood",
    "GARDEN CENTER": "Garden centre",
    "RESTAURANT": "Restaurant",
    "SALAD BAR": "Salad bar",
    "TRAVEL & LEISURE": "Travel and leisure",
    "FROZEN GROCERY": "Frozen food",
    "CHEF SHOPPE": "Chef's shop",
    "PHOTO & VIDEO": "Photo and video",
    "CNTRL/STORE SUP": "Store supplies",
    "TOYS": "Toys",
    "POSTAL CENTER": "Post counter",
    "CHARITABLE CONT": "Charity",
    "PROD-WHS SALES": "Wholesale produce",
    "AUTOMOTIVE": "Car supplies",
    "ELECT &PLUMBING": "Electrical and plumbing",
    "GM MERCH EXP": "General merchandise",
    "HOUSEWARES": "Housewares",
}

WORDS = {
    "BG": "bag",
    "BKD": "baked",
    "BRD": "breaded",
    "BREADED": "breaded",
    "BRKFST": "breakfast",
    "BTL": "bottle",
    "BTR": "butter",
    "CARB": "carbonated",
    "CHOC": "chocolate",
    "CHP": "chip",
    "CKYS": "cookies",
    "CND": "canned",
    "CNDY": "candy",
    "CONC": "concentrate",
    "CRBNTD": "carbonated",
    "CRKR": "cracker",
    "CRMD": "creamed",
    "CRYSTL": "crystal",
    "DNR": "dinner",
    "DNRS": "dinners",
    "DRNK": "drink",
    "DRNKNG": "drinking",
    "DRNKS": "drinks",
    "DRSNG": "dressing",
    "DRSNGS": "dressings",
    "DSH": "dish",
    "FEM": "feminine",
    "FLVR": "flavour",
    "FLVRD": "flavoured",
    "FRZ": "frozen",
    "FRZN": "frozen",
    "GDS": "goods",
    "GRND": "ground",
    "HBC": "care",
    "HYGN": "hygiene",
    "JCE": "juice",
    "LIQ": "liquid",
    "MISC": "other",
    "MLK": "milk",
    "MLT": "multi",
    "MNRL": "mineral",
    "MW": "microwave",
    "MX": "mix",
    "MXS": "mixes",
    "PCKGD": "packaged",
    "PICKLD": "pickled",
    "PK": "pack",
    "PKG": "package",
    "PKGD": "packaged",
    "PKLD": "pickled",
    "PLSTC": "plastic",
    "PNT": "peanut",
    "PRPCK": "prepacked",
    "PRSLC": "presliced",
    "PWDR": "powder",
    "PWDRS": "powders",
    "REFRGRATD": "refrigerated",
    "REFRIG": "refrigerated",
    "SALD": "salad",
    "SFT": "soft",
    "SGL": "single",
    "SLC": "sliced",
    "SNDWCH": "sandwich",
    "SNGL": "single",
    "SNKS": "snacks",
    "SPLY": "supply",
    "SPRD": "spread",
    "SRV": "serve",
    "STK": "stick",
    "SWT": "sweet",
    "SYRP": "syrup",
    "TISS": "tissue",
    "TRSH": "trash",
    "VEG": "vegetables",
    "WHL": "whole",
    "WT": "weight",
    "WTR": "water",
    "XPCTRNT": "expectorant",
}
CAPITALS = frozenset({"BBQ", "DVD", "TV", "IQF", "SPF", "DXM", "PSE", "OTC", "RTD", "USB", "CD"})

_WORD = re.compile(r"([A-Z]+(?:'[A-Z]+)?)\.?")
_OPEN_BRACKET = re.compile(r"\s*\([^)]*$")
_NUMBER = r"(?:[0-9]{1,4}(?:\.[0-9]+)?|\.[0-9]+)"
_SIZE = rf"^{_NUMBER}(?: ?[X/-] ?{_NUMBER})? ?(?:OZ|LB|CT|ML|L|LT|G|KG|PK|PC|FT|SQ FT|IN|GAL|QT|PT|YD)$"


def readable(frame: pl.DataFrame, column: str) -> pl.Series:
    """(n,) the column's texts in words and normal case; worked out once per distinct text."""
    distinct = frame[column].drop_nulls().unique()
    names = dict(zip(distinct.to_list(), (in_words(text) for text in distinct.to_list()), strict=True))
    return frame.select(pl.col(column).replace_strict(names, default=None, return_dtype=pl.String))[column]


def in_words(text: str) -> str:
    """One text in words: abbreviations spelled out, a bracket that was cut off dropped, first letter large."""
    closed = _OPEN_BRACKET.sub("", text) or text
    words = _WORD.sub(lambda match: _word(match.group(1)), closed.upper())
    spaced = re.sub(r"\s*&\s*", " & ", re.sub(r"\s*/\s*", "/", words))
    spaced = re.sub(r"\s+", " ", spaced).strip(" -/:,")
    return spaced[:1].upper() + spaced[1:]


def size(column: pl.Expr) -> pl.Expr:
    """Package sizes that are a number and a unit, in small letters ("22 lb"); others (till codes) become null."""
    tidy = column.str.strip_chars().str.replace_all(r"\s+", " ")
    return pl.when(tidy.str.contains(_SIZE)).then(tidy.str.to_lowercase().str.replace(r"\bl$", "L"))


def _word(word: str) -> str:
    return word if word in CAPITALS else WORDS.get(word, word.lower())
