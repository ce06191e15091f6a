"""The documentation's donut, without its two slips of the pen: `donut_input` is `input_`, and a value is assigned."""

import json
from dataclasses import dataclass

from hop import plugins
from hop.models import MessageModel, format_name


@dataclass
class Donut(MessageModel):
    category: str
    flavor: str
    has_filling: bool

    format_name = "donut"  # optional

    @classmethod
    def load(cls, input_):
        # input_ is a file object
        if hasattr(input_, "read"):  # noqa: SIM108 - as documented
            donut = json.load(input_)
        # serialized input_
        else:
            donut = json.loads(input_)

        # unpack the JSON dictionary and return the model
        return cls(**donut)


@plugins.register
def get_models():
    model_classes = [Donut]
    return {format_name(cls): cls for cls in model_classes}
