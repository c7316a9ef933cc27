"""The forms: kinds of answers (`fields`), what is asked (`definition`, `loading`: data of the pack), where a
person stands (`journey`), pasted text (`takeapart`) and the look before handing in (`review`).

No conversation and no storage here: functions of a form and its answers.
"""
