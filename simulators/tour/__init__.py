"""The tour: one provider, its customers and its enemies, played against a real server process.

    python -m simulators.tour        plays every scene, writes tour.html, keeps serving
    TOUR_ONLY=1 ...                  ends after the scenes

Source: ISO/TS 12812-2:2017, 6.2
"""
