"""Word lists of the sentence splitter: what a full stop may belong to, in lower case and without that full stop."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name follows: the full stop never ends a sentence.
BEFORE_NAME = _words(
    "mr mrs ms mx messrs dr drs prof st ste gen col lt sgt cpl capt cmdr maj adm rev fr hon sen rep gov pres supt det "
    "insp atty mt ft pt "
    "hr fam dhr mevr mw ir ing mr.dr bzw sog hl gebr dipl frhr "  # Dutch, German
    "sr sra srta sres dña dn ud uds m mm mme mlle mgr dott sig sigra avv "  # Spanish, French, Italian
    "г гг ул им проф акад"  # Russian
)

# Something always follows.
NEVER_END = _words(
    "e.g eg i.e ie vs v viz cf al ca approx incl resp aka a.k.a "
    "bijv bv d.w.z o.a m.n t.o.v i.p.v z.b z d.h u.a p.ex ej p.ej т.е напр vgl z.g zgn sogen"
)

# A number follows; before anything else these are words of their own ("No.", "p.").
BEFORE_DIGIT = _words(
    "no nos nr nrs num núm fig figs vol vols pp p pg sec secs ch chap art arts eq eqs ref refs col cols tab app ex "
    "ver op n c b d r est circa ca bd s abb abs kap str pag págs blz hfst § №"
)

MONTHS = _words(
    "jan feb febr mar apr jun jul aug sep sept oct okt nov dec dez "
    "january february march april may june july august september october november december "
    "januar februar märz mai juni juli oktober dezember januari februari maart mei"
)

# These close sentences as often as not: the next word decides.
MAY_END = _words(
    "inc ltd co corp bros plc llc jr etc esq ph.d phd m.d b.a m.a u.s u.s.a u.k e.u u.n a.m p.m b.c a.d b.c.e c.e d.c "
    "dept est ave blvd rd univ assn bldg int'l nat'l gov't fed usw enz etc ff o.ä s.a s.l s.p.a n.v b.v ee.uu"
)

# Words that begin a sentence much more often than they go on a name.
STARTERS = _words(
    "the a an this that these those he she it they we you i his her its their our my your there here in on at by for "
    "from with to of as if when while where after before since until during although though because however but and "
    "or so yet then thus also some many most all both each every no not one two three another other such what who "
    "which why how is are was were do does did has had have can will would may might according despite under over "
    "once only even today later soon now among between about following "
    "de het een dit dat deze die hij zij ze wij we er in op van voor met na maar en ook toen als "
    "der die das ein eine er sie es wir im am auf mit nach bei und aber auch dies diese als wenn "
    "le la les un une des il elle ils elles on ce cette ces dans en au aux pour avec mais et après "
    "el los las una unos él ella ellos en con por para pero y su sus este esta como cuando después "
    "il lo gli i uno nel con per ma anche questo questa dopo o os as um uma ele ela no na mas também"
)
