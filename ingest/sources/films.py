"""What Freebase says of films, as declared types: both of its directions of a fact become one relation."""

from dataclasses import dataclass

from domain.declarations import EntityType, RelationType


@dataclass(frozen=True)
class Fact:
    """forward: Freebase relations from the film to the entity; backward: from the entity to the film."""

    relation: RelationType
    forward: tuple[str, ...] = ()
    backward: tuple[str, ...] = ()


def _fact(
    type: str, tail: str, description: str, same: str, phrase: str, forward: str = "", backward: str = ""
) -> Fact:
    relation = RelationType(type=type, head="Item", tail=tail, description=description, same=same, phrase=phrase)
    return Fact(relation, tuple(forward.split()), tuple(backward.split()))


FACTS = (
    _fact("ACTED_BY", "Person", "Who acts in it.", "actor", "with", "film.film.actor", "film.actor.film"),
    _fact(
        "DIRECTED_BY",
        "Person",
        "Who directed it.",
        "director",
        "directed by",
        "film.film.directed_by",
        "film.director.film",
    ),
    _fact("WRITTEN_BY", "Person", "Who wrote it.", "writer", "written by", "film.film.written_by", "film.writer.film"),
    _fact(
        "PRODUCED_BY",
        "Person",
        "Who produced it.",
        "producer",
        "produced by",
        "film.film.produced_by",
        "film.producer.film",
    ),
    _fact(
        "FILMED_BY",
        "Person",
        "Its cinematographer.",
        "cinematographer",
        "filmed by",
        "film.film.cinematography",
        "film.cinematographer.film",
    ),
    _fact(
        "MADE_BY",
        "Company",
        "The company that made it.",
        "production company",
        "made by",
        "film.film.production_companies",
        "film.production_company.films",
    ),
    _fact(
        "HAS_SUBGENRE",
        "Subgenre",
        "A genre as Freebase has them, finer than the catalogue's.",
        "subgenre",
        "of the subgenre",
        "film.film.genre",
        "film.film_genre.films_in_this_genre",
    ),
    _fact("FROM_COUNTRY", "Country", "Where it was made.", "country", "from", "film.film.country"),
    _fact("IN_LANGUAGE", "Language", "A language spoken in it.", "language", "in", "film.film.language"),
    _fact(
        "HAS_CONTENT_RATING",
        "ContentRating",
        "For whom it is suitable.",
        "content rating",
        "rated",
        "film.film.rating",
        "film.content_rating.film",
    ),
    _fact("ABOUT", "Subject", "What it is about.", "subject", "about", "film.film.subjects", "film.film_subject.films"),
    _fact(
        "NOMINATED_FOR",
        "Award",
        "An award it was put forward for.",
        "award nomination",
        "put forward for",
        "film.film.award_nomination",
    ),
    _fact("WON", "Award", "An award it won.", "award", "which won", "film.film.award_won"),
    # "h film.film.sequel t" reads: t is the sequel of h
    _fact(
        "SEQUEL_OF",
        "Item",
        "The film it continues.",
        "predecessor",
        "a sequel of",
        "film.film.prequel",
        "film.film.sequel",
    ),
)

ENTITY_TYPES = (
    EntityType(label="Person", noun="person", description="Someone who worked on films."),
    EntityType(label="Company", noun="production company", description="A company that makes films."),
    EntityType(label="Subgenre", noun="subgenre", description="A genre as Freebase has them; it gives no name."),
    EntityType(label="Country", noun="country", description="A country that films come from."),
    EntityType(label="Language", noun="language", description="A language spoken in films."),
    EntityType(label="ContentRating", noun="content rating", description="For whom a film is suitable."),
    EntityType(label="Subject", noun="subject", description="What films are about."),
    EntityType(label="Award", noun="award", description="A category of an award."),
)


def is_about_films(shares: dict[str, int]) -> bool:
    """Whether over half of the triples (relation -> number) say something of a film: then the items are films."""
    films = sum(count for relation, count in shares.items() if relation.startswith("film.film."))
    return 2 * films > sum(shares.values())
