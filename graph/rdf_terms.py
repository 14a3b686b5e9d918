"""Which of schema.org's words say what Clew's labels, relations and events mean."""

SCHEMA = "https://schema.org/"
ITEM_CLASS = "Product"
USER_CLASS = "Person"
ENTITY_CLASS = "DefinedTerm"

# Relations whose meaning schema.org has a property for. Others keep a name of Clew's own.
RELATIONS = {
    "ABOUT": "about",
    "ACTED_BY": "actor",
    "DIRECTED_BY": "director",
    "FOLLOWS": "follows",
    "FROM_COUNTRY": "countryOfOrigin",
    "HAS_CONTENT_RATING": "contentRating",
    "HAS_GENRE": "genre",
    "HAS_KEYWORD": "keywords",
    "IN_CATEGORY": "category",
    "IN_LANGUAGE": "inLanguage",
    "MADE_BY": "manufacturer",
    "OF_BRAND": "brand",
    "PRODUCED_BY": "producer",
    "WON": "award",
    "WRITTEN_BY": "author",
}
EVENTS = {
    "cart": "AddAction",
    "dislike": "DislikeAction",
    "enrol": "RegisterAction",
    "like": "LikeAction",
    "purchase": "BuyAction",
    "rate": "ReviewAction",
    "return": "ReturnAction",
    "share": "ShareAction",
    "skip": "IgnoreAction",
    "view": "ViewAction",
}
