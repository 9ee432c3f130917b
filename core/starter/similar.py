"""Words that people type and the starter model does not know, each beside the words it knows that come nearest."""

from __future__ import annotations

import functools

from core.starter.captions import plural

SIMILAR = {  # known words -> others of their kind
    "dog": "corgi puppy pup poodle pug husky dachshund labrador terrier wolf fox hyena",
    "cat": "kitten kitty lion lioness tiger leopard panther cheetah lynx raccoon",
    "rabbit": "hare mouse rat hamster squirrel hedgehog kangaroo",
    "pig": "piglet boar cow bull sheep lamb goat",
    "dog, pig": "horse pony donkey zebra unicorn deer camel giraffe",
    "duck, penguin": "bird chicken chick hen rooster goose swan owl eagle parrot pigeon",
    "fish": "shark whale dolphin goldfish tuna salmon octopus crab lobster",
    "turtle": "dinosaur dragon crocodile alligator lizard snake frog toad snail",
    "elephant": "hippo rhino mammoth",
    "teddy bear": "panda koala grizzly monkey gorilla doll plush",
    "dog, cat, rabbit": "animal pet creature monster",
    "robot, snowman": "person man woman boy girl child human knight astronaut alien android cyborg wizard figure",
    "car": "taxi cab sedan limousine convertible motorcycle motorbike bicycle bike scooter",
    "car, bus": "truck van lorry pickup jeep minivan ambulance tractor tank vehicle",
    "train, bus": "tram trolley wagon subway",
    "boat": "yacht sailboat canoe kayak ferry raft submarine",
    "airplane": "jet aircraft aeroplane airliner helicopter drone glider",
    "rocket": "missile shuttle spacecraft starship ufo satellite",
    "hot air balloon": "zeppelin blimp airship parachute",
    "house": "home hut cabin cottage barn shed villa mansion igloo tent school shop",
    "tower, castle": "skyscraper church cathedral temple fortress fort palace pyramid",
    "house, tower": "building bridge",
    "tree": "oak palm birch willow bush forest",
    "flower": "rose tulip daisy sunflower lily orchid",
    "tree, flower": "plant grass leaf fern",
    "cactus": "succulent",
    "mushroom": "fungus fungi",
    "chair": "armchair stool throne seat rocker",
    "sofa, chair": "bench settee loveseat",
    "table": "desk counter workbench",
    "bed": "mattress cot crib hammock",
    "lamp": "lantern torch candle chandelier bulb",
    "chair, table": "furniture shelf cupboard wardrobe cabinet bookcase",
    "hamburger": "sandwich hotdog taco burrito kebab",
    "pizza slice": "pasta lasagna pie",
    "donut": "bagel pretzel croissant bun",
    "cupcake, cake": "cookie pastry brownie pancake waffle dessert bread",
    "ice cream": "gelato popsicle sundae milkshake",
    "apple": "pear peach cherry banana mango tomato fruit",
    "strawberry": "raspberry blueberry berry grape",
    "pumpkin": "melon watermelon squash gourd carrot potato vegetable",
    "hamburger, cake, apple": "food meal snack",
    "mug": "glass goblet tumbler beaker coffee",
    "teapot": "kettle jug pitcher",
    "vase": "pot jar bottle urn bowl bucket",
    "hat": "cap helmet beanie bonnet sombrero fedora",
    "crown": "tiara diadem ring jewel",
    "guitar": "violin ukulele banjo cello bass instrument piano",
    "treasure chest, gift": "box crate trunk suitcase casket barrel package parcel",
    "ball": "sphere globe football basketball marble planet moon",
    "red": "crimson scarlet maroon ruby copper bronze",
    "yellow": "gold golden blond amber",
    "green": "lime olive emerald turquoise",
    "blue": "navy cyan teal azure indigo",
    "purple": "violet lilac magenta lavender",
    "brown": "tan beige chocolate",
    "grey": "silver metallic metal steel iron chrome",
    "white": "light bright pale ivory",
    "black": "dark",
    "wooden": "timber bamboo oaken",
    "stone": "rock brick granite concrete",
    "dots": "dotted spotted",
    "stripes": "striped stripy",
    "small": "tiny mini miniature",
    "big": "huge giant gigantic enormous tall",
    "cute": "adorable pretty lovely",
    "photo": "photograph image painting drawing",
    "one": "two three four five six seven eight nine ten 2 3 4",
}


@functools.cache
def similar_words() -> dict[str, list[str]]:
    """By word, in the singular and in the plural: the known words that come near, the nearest first."""
    return {
        form: known.split(", ")
        for known, others in SIMILAR.items()
        for word in others.split()
        for form in (word, plural(word))
    }
