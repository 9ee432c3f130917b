import random

from core.prompt import VIEW_WORDS
from core.starter.captions import Look, caption, words
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.networks import make_pipeline
from core.starter.patterns import MATERIALS, PATTERNS
from core.starter.tokenizer import MAX_LENGTH, byte_alphabet, make_tokenizer


def test_every_word_of_every_caption_is_one_token():
    tokenizer, rng = make_tokenizer(words()), random.Random(0)
    looks = [*map(Look, COLORS), *(Look("red", pattern, "grey") for pattern in PATTERNS)]
    looks += [Look(), *(Look(finish=material) for material in MATERIALS)]
    for concept in CONCEPTS:
        for look in 6 * looks:
            text = caption(concept, look, rng.choice([*VIEW_WORDS, None]), rng)
            pieces = text.replace(",", " ,").replace("3d", "3 d").split()  # as CLIP splits
            tokens = tokenizer(text).input_ids
            assert len(tokens) == len(pieces) + 2, text  # with start and end
            assert len(tokens) <= MAX_LENGTH


def test_capital_letters_do_not_matter():
    tokenizer = make_tokenizer(words())
    assert tokenizer("A Red MUG").input_ids == tokenizer("a red mug").input_ids


def test_an_unknown_word_falls_apart_but_comes_back_whole():
    tokenizer = make_tokenizer(words())
    ids = tokenizer("a zeppelin für 汉").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a zeppelin für 汉"


def test_byte_alphabet_has_a_character_for_each_byte():
    assert len(set(byte_alphabet())) == 256


def test_a_saved_pipeline_tokenizes_the_same(tmp_path):
    pipeline = make_pipeline()
    pipeline.save_pretrained(tmp_path)
    again = type(pipeline.tokenizer).from_pretrained(tmp_path / "tokenizer", local_files_only=True)
    text = "a 3d model of a red mug, side view"
    assert again(text).input_ids == pipeline.tokenizer(text).input_ids
