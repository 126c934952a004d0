class DayBook:
    def __init__(self, reader):
        pass
