import random

from core.prompt import VIEW_WORDS
from core.starter.captions import caption, words
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.networks import make_pipeline
from core.starter.tokenizer import byte_alphabet, make_tokenizer


def test_every_word_of_every_caption_is_one_token():
    tokenizer, rng = make_tokenizer(words()), random.Random(0)
    for concept in CONCEPTS:
        for color in (*COLORS, None):
            text = caption(concept, color, rng.choice([*VIEW_WORDS, None]), rng)
            pieces = text.replace(",", " ,").replace("3d", "3 d").split()  # as CLIP splits
            assert len(tokenizer(text).input_ids) == len(pieces) + 2, text  # with start and end


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
