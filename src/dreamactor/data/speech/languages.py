"""What is said, by which voices: own plain sentences in twelve languages, four of them never learnt from.

The first sentences of a language are learnt from, word by word in new orders; the last `NUM_HELD_OUT` are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NUM_HELD_OUT: Final = 3
"""Sentences of a trained language that are kept for measuring; of an unseen one all are."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        voice: espeak-ng's name of it.
        sentences: in its own spelling (Chinese in pinyin, Japanese in kana).
    """

    voice: str
    sentences: tuple[str, ...]


LANGUAGES: Final = {
    "english": Language("en-us", (
        "My brother bought a big blue boat and a map of the bay",
        "We always wash five white cups before the morning coffee",
        "She should push the chair under the table in the other room",
        "Please give them the very first paper from the upper shelf",
        "You know how slowly the old train goes over the bridge",
        "I think that nothing is better than three hours of good sleep",
        "Many people move to warmer places when winter comes",
        "The farmer put a bag of apples beside the garden door",
        "Perhaps we may meet at the museum about half past four",
        "Her father found the missing key below a pile of books",
    )),
    "german": Language("de", (
        "Meine Mutter bäckt am Abend ein warmes Brot für uns alle",
        "Wir fahren morgen früh mit dem Zug über die neue Brücke",
        "Bitte bring mir zwei Bücher und ein schönes Bild mit",
        "Auf dem Baum vor unserem Haus wohnen fünf bunte Vögel",
        "Ich glaube nicht, dass er heute noch so spät kommen möchte",
        "Papa kauft Äpfel, Birnen, Pflaumen und frische Milch im Dorf",
        "Der Himmel über der Stadt ist schon wieder grau und trüb",
        "Im Sommer baden die Kinder gern am Ufer des Sees",
        "Vielleicht bleiben wir bis Mittwoch bei meinem Bruder",
        "Am Bahnhof verkauft ein Mann Blumen und bunte Ballons",
    )),
    "french": Language("fr", (
        "Mon père prépare un bon repas pour toute la famille",
        "Nous avons vu un petit bateau bleu au milieu du fleuve",
        "Il faut fermer la porte avant de partir pour la montagne",
        "Les enfants jouent souvent dans le jardin après la pluie",
        "Je voudrais bien boire une tasse de thé chaud avec vous",
        "Beaucoup de gens parlent trop vite pendant le voyage",
        "Ma grand-mère habite une maison blanche au bord de la mer",
        "Peut-être que nous pourrons manger ensemble samedi",
        "Le boulanger ouvre sa boutique avant le lever du jour",
        "Un homme en manteau vert attend le bus depuis longtemps",
    )),
    "spanish": Language("es", (
        "Mi hermano compró un barco pequeño para pescar en el mar",
        "Por la mañana bebemos café con leche y comemos pan",
        "La ventana de mi cuarto mira hacia una plaza muy bonita",
        "Siempre viajamos con muchas maletas y poco tiempo libre",
        "El perro blanco duerme debajo de la mesa de la cocina",
        "Quiero saber por qué nadie me habló de esa fiesta",
        "En verano mi familia vuelve al pueblo de mis abuelos",
        "Un músico joven toca la guitarra junto a la fuente",
        "Mañana vamos a visitar el museo de la ciudad vieja",
        "La profesora abrió el libro y empezó a leer en voz baja",
    )),
    "russian": Language("ru", (
        "Моя мама купила большую белую рыбу на рынке",
        "Мы всегда пьём чай с мёдом после долгой прогулки",
        "Утром в парке громко поют птицы и бегают дети",
        "Брат обещал показать мне новый фильм о море",
        "Поезд медленно проходит по старому мосту над рекой",
        "Пожалуйста, положи бумагу и ручку на верхнюю полку",
        "В нашем доме живёт весёлый пёс и пять кошек",
        "Вчера вечером был сильный ветер и шёл дождь",
        "Бабушка печёт вкусный пирог с яблоками и мёдом",
        "Они поехали в город, чтобы увидеть друзей",
    )),
    "portuguese": Language("pt-br", (
        "Minha mãe fez um bolo de milho para a festa de sábado",
        "O barco pequeno parou perto da praia antes da chuva",
        "Nós bebemos água fresca embaixo de uma árvore velha",
        "Eu nunca vi um povo tão alegre como o daquela vila",
        "Por favor, feche a porta e abra um pouco a janela",
        "O menino perdeu o chapéu novo no caminho da escola",
        "Amanhã vamos visitar meus avós no campo",
        "Um pássaro bonito canta sempre de manhã no telhado",
        "Ela comprou pão, manteiga, queijo e um vaso de flores",
        "Talvez meu pai volte para casa mais cedo hoje",
    )),
    "chinese": Language("cmn-latn-pinyin", (
        "wo3 men5 ming2 tian1 qu4 bei3 jing1 kan4 peng2 you3",
        "ta1 ba4 ba5 mai3 le5 yi2 bu4 bai2 se4 de5 che1",
        "qing3 ba3 men2 da3 kai1 wai4 mian4 fei1 chang2 leng3",
        "ma1 ma5 zuo4 de5 fan4 hen3 hao3 chi1",
        "xiao3 mao1 shui4 zai4 zhuo1 zi5 xia4 bian5",
        "wo3 xi3 huan5 he1 cha2 ye3 xi3 huan5 du2 shu1",
        "jin1 tian1 wan3 shang5 wo3 yao4 mai3 ping2 guo3",
        "di4 di5 pao3 bu4 bi3 wo3 kuai4 hen3 duo1",
        "wo3 men5 ban1 you3 wu3 ge5 xin1 peng2 you3",
        "fang2 zi5 hou4 mian5 you3 yi4 ke1 da4 shu4",
    )),
    "hindi": Language("hi", (
        "मेरी माँ बाज़ार से ताज़ा फल और सब्ज़ी लाती है",
        "हम लोग कल सुबह पहाड़ पर घूमने जाएँगे",
        "बच्चे बाग में पुराने पेड़ के नीचे खेलते हैं",
        "मुझे गरम चाय और मीठी रोटी बहुत पसंद है",
        "उसका भाई शहर के बड़े अस्पताल में काम करता है",
        "कृपया मुझे वह नीली किताब और कलम दे दो",
        "आज आसमान में बहुत सारे काले बादल हैं",
        "मेरे पिताजी हर शाम अख़बार पढ़ते हैं",
        "बंदर ने पेड़ से आम तोड़ा और भाग गया",
        "हमारे गाँव में एक पुराना मंदिर है",
    )),
    "italian": Language("it", (
        "Mio fratello ha comprato una barca bianca per andare al mare",
        "Domani mattina prendiamo il primo treno per la montagna",
        "La nonna prepara sempre un buon piatto di pasta per tutti",
        "Vorrei bere un bicchiere di acqua fresca prima di partire",
        "Il bambino dorme vicino alla finestra della camera grande",
        "Nel giardino del vicino ci sono molti fiori e poche api",
    )),
    "turkish": Language("tr", (
        "Annem bu sabah bahçede mavi bir kuş gördü",
        "Yarın akşam bütün arkadaşlarım bize yemeğe gelecek",
        "Küçük kardeşim her gün okula yürüyerek gidiyor",
        "Pazardan elma, armut, peynir ve biraz ekmek aldım",
        "Babam eski arabasını uzun zaman önce sattı",
        "Deniz bugün çok sakin ama hava biraz bulutlu",
    )),
    "japanese": Language("ja", (
        "わたしの ははは まいあさ パンを やきます",
        "あした ともだちと うみへ ぼうしを もって いきます",
        "ちいさな ねこが まどの そばで ねむっています",
        "ふゆに なると やまの うえは まっしろに なります",
        "あたらしい ほんを ともだちに みせて あげたい",
        "ばんごはんの まえに ふたりで さんぽを しました",
    )),
    "polish": Language("pl", (
        "Moja mama kupiła wczoraj świeży chleb i pięć jabłek",
        "W sobotę pojedziemy pociągiem nad morze do babci",
        "Mały pies śpi pod dużym stołem w naszej kuchni",
        "Proszę zamknąć okno, bo na dworze wieje zimny wiatr",
        "Mój brat bardzo lubi czytać książki o dawnych podróżach",
        "Po obiedzie wypiliśmy herbatę z miodem i poszliśmy do parku",
    )),
}  # fmt: skip
UNSEEN: Final = ("italian", "turkish", "japanese", "polish")
"""Languages that nothing is learnt from."""
TRAINED: Final = tuple(name for name in LANGUAGES if name not in UNSEEN)

VOICES: Final = (
    "", "m1", "m2", "m3", "m5", "m6", "m8", "f1", "f2", "f3", "f5", "klatt", "klatt2", "klatt4", "klatt6", "Alex", "Alicia",
    "Andrea", "Andy", "Diogo", "Gene", "Lee", "Marco", "Mario", "adam", "anika", "belinda", "edward", "linda", "max", "paul",
    "steph", "whisper",
)  # fmt: skip
"""Variants of a voice that are learnt from; "" is the plain one."""
HELD_OUT_VOICES: Final = ("m4", "m7", "f4", "klatt3", "Annie", "Denis", "Hugo", "steph3")
"""Variants that nothing is learnt from."""


def training_sentences(language: str) -> tuple[str, ...]:
    """What is learnt from; empty for an unseen language."""
    return () if language in UNSEEN else LANGUAGES[language].sentences[:-NUM_HELD_OUT]


def held_out_sentences(language: str) -> tuple[str, ...]:
    """What is measured with."""
    sentences = LANGUAGES[language].sentences
    return sentences if language in UNSEEN else sentences[-NUM_HELD_OUT:]
