namespace Kintsugi.Lab.Damage;

/// <summary>Two screenings in one room at one time, against an exclusion constraint.</summary>
public sealed class ExclusionViolated() : SqlInjury(
    "exclusion-violated",
    "The exclusion constraint's index missed a row for a while, so an overlapping one was let in.",
    Faults.UniqueViolated, new InjuryTarget("public", "screenings", "screenings_no_overlap"),
    [
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'screenings_no_overlap'::regclass",
        "INSERT INTO screenings SELECT 900001, room, during, movie_id FROM screenings WHERE id = 10",
        "UPDATE pg_index SET indisready = true WHERE indexrelid = 'screenings_no_overlap'::regclass",
    ],
    "SELECT count(*) = 1 FROM screenings a JOIN screenings b ON a.room + 0 = b.room AND a.during && b.during AND a.id < b.id");
