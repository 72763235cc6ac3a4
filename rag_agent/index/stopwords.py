"""Stop words of the languages that the tokeniser tells apart, and the choice of a language for a corpus.

The lists hold function words only (articles, pronouns, prepositions, auxiliaries, question words). They serve twice: to
leave such words out of a query, and to detect the language of a text by counting them, which needs no model and is
reliable from about a page of text on.
"""

from collections import Counter
from collections.abc import Iterable

__all__ = ["STOP_WORDS", "detect_language"]

# Words are spelt as the tokeniser hands them over: case folded, Latin accents removed, apostrophes split.
_LISTS = {
    "english": """a about above after again against all also am an and another any are as at be because been before
        being below between both but by can cannot could d did do does doing don down during each either else etc ever
        few for from further had has have having he her here hers herself him himself his how i if in into is it its
        itself just ll m many may me might more most much must my myself neither no nor not now of off often on once
        only or other others our ours ourselves out over own per please re s same shall she should since so some such t
        tell than that the their theirs them themselves then there these they this those though through to too under
        until up upon us ve very was we were what whatever when where whether which while who whom whose why will with
        within without would you your yours yourself yourselves""",
    "dutch": """aan al alle alleen als altijd andere bij daar dan dat de der deze die dit doen door dus een en er ge
        geen had hadden haar heb hebben heeft hem hen het hier hij hoe hoeveel hun ik in is ja je jij jouw kan kon
        kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te
        tegen toch toen tot u uit uw van veel voor waar waarom wanneer want waren was wat welk welke werd werden wie
        wij wil worden wordt ze zei zelf zich zij zijn zo zonder zou""",
    "german": """aber alle allem allen aller alles als also am an auch auf aus bei bin bis bist da damit dann das dass
        dein dem den der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen
        einer eines er es euch fur habe haben hat hatte hatten hier hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer
        im in ins ist jede jedem jeden jeder jedes jene kann kein keine konnen konnte man mehr mein mich mir mit muss
        nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so solche
        soll sollte uber um und uns unser unter viel viele vom von vor wann war waren warum was weil welche welchem
        welchen welcher welches wem wen wenn wer werde werden wie wieder wieviel wir wird wo wurde wurden zu zum zur
        zwischen""",
    "french": """a afin ai ainsi alors apres as au aucun aussi autre autres aux avait avec avoir avant c car ce ceci
        cela celle celles celui ces cet cette ceux chaque ci comme comment d dans de depuis des deux dont du elle elles
        en entre est et etaient etait ete etes etre eu eux fait faut fut furent il ils j je l la le les leur leurs lors
        lui m ma mais me meme memes mes moi mon n ne ni nos notre nous on ont ou par parce pas pendant peu peut plus
        pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sous sur t ta te tes
        toi ton tous tout toute toutes tres tu un une vers vos votre vous y""",
    "spanish": """a al algo algunas alguno algunos ante antes aquel como con contra cual cuales cuando cuanta cuantas
        cuanto cuantos de del desde donde dos durante e el ella ellas ellos en entre era eran eres es esa esas ese eso
        esos esta estaba estado estan estar estas este esto estos fue fueron ha habia habian han hasta hay la las le les
        lo los mas me mi mis mucho muchos muy nada ni no nos nosotros o os otra otras otro otros para pero poco por
        porque que quien quienes se sea ser si sido sin sobre son su sus tambien tanto te tiene tienen todo todos tu tus
        un una uno unos y ya yo""",
    "portuguese": """a ao aos aquela aquele as ate com como da das de dela dele deles depois do dos e ela elas ele eles
        em entre era eram essa essas esse esses esta estao estava este estes eu foi foram ha isso isto ja lhe mais mas
        me mesmo meu minha muito na nao nas nem no nos nossa nosso num numa o onde os ou para pela pelas pelo pelos por
        porque qual quais quando quantas quanto quantos que quem se seja sem ser seu seus so sua suas tambem te tem ter
        tinha um uma umas uns voce""",
    "italian": """a ad agli ai al alla alle allo anche c che chi ci cio col come con contro cosa cui d da dagli dai dal
        dalla dalle de degli dei del dell della delle dello di dove e ed era erano essere fra fu furono gli ha hanno ho
        i il in io l la le lei li lo loro lui ma me mi mia mio molto ne negli nei nel nell nella nelle nello no noi non
        nostro o ogni oppure per perche piu poi pero qual quale quali quando quanta quante quanti quanto quella quelle
        quelli quello questa queste questi questo se sei si sia sono sta stata stati stato su sua sue sugli sui sul
        sulla sulle suo suoi tra tu tutti tutto un una uno vi""",
    "swedish": """alla allt an att av blev bli da dar de dem den denna deras dess det detta dig din du efter ej eller
        en er ett fran for genom ha hade han hans har henne hennes hon honom hur i icke inom inte ja jag kan kunde man
        med mellan men mig min mitt mot mycket nagon nagot nar nej ni nu och om oss pa sa samma sedan sig sin sina
        sitt ska skulle som till under upp ut utan var vad varfor vara vart vem vid vilka vilken vilket vi""",
    "danish": """af alle alt at blev blive da de dem den denne der deres det dette dig din disse dog du efter eller en
        end er et for fordi fra ham han hans har havde hendes her hos hun hvad hvem hvilken hvilket hvis hvor hvordan
        hvorfor hvornar i ikke ind jeg jer kan kunne man mange med meget mellem men mig min mod ned noget nogle nu og
        ogsa om op os over pa sig sin skal skulle som sadan til ud under var vi vil ville vaere vaeret ved""",
    "norwegian": """alle at av ble bli da de dem den denne der deres det dette din disse du eller en enn er et etter
        for fordi fra ha hadde han hans har hennes her hun hva hvem hvilken hvilket hvis hvor hvordan hvorfor i ikke
        inn jeg kan kunne man mange med meg mellom men mer min mot mye nar noe noen og ogsa om opp oss over pa sa seg
        sin skal skulle som til ut under var vart ved vi vil ville vaere vaert""",
    "finnish": """ei eika emme en et ette ettei etta han hanen hanta he heidan hyvin ja jo joka jonka jos jossa jota
        jotka kaikki kanssa keka kenen koska kuin kuinka kuka kun me mika mikä mina missa mista mita mitka monta mukaan
        mutta myos nain ne niiden niin nyt oli olivat olla on ovat paljon se sekä seka sen siita silla sina sita tai
        tama taman tassa te tuo vaan vai vain""",
    "russian": """а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да для до его ее
        если есть еще же за и из или им их к как какая какие какой когда кого кто ли между меня мне много можно мы на
        над не него нее нет ни них но о об он она они оно от по под почему при с сам свой себя сколько со так также
        такой там то того тоже той только том тот ты у уже чего чем что чтобы эта эти это этого этой этом этот я""",
}
STOP_WORDS: dict[str, frozenset[str]] = {language: frozenset(words.split()) for language, words in _LISTS.items()}

_ENOUGH = 2  # stop words that tell a language


def detect_language(words: Iterable[str], default: str = "english") -> str:
    """Choose the language whose stop words make up the largest part of a text.

    A word that several languages share ("de", "in") counts for each in equal parts, so that it does not favour the
    longer list.

    Args:
        words: Folded words of a sample; a few thousand are plenty.
        default: What to answer when the sample holds fewer than two stop words of one list.

    Returns:
        A language name as Snowball spells it; the default where there are too few stop words to tell: "Den Haag" is no German.
    """
    tally: Counter[str] = Counter()
    for word, count in Counter(words).items():
        owners = [language for language, listed in STOP_WORDS.items() if word in listed]
        for language in owners:
            tally[language] += 60 * count // len(owners)
    return max(tally, key=lambda language: tally[language]) if max(tally.values(), default=0) >= 60 * _ENOUGH else default
