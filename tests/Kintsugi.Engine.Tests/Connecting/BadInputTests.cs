using CsCheck;
using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Engine.Tests.Connecting;

/// <summary>Whatever is given as a connection, it resolves or is refused, and no refusal holds the password.</summary>
public sealed class BadInputTests
{
    private const string Password = "hunter2";

    private static readonly Gen<string> Piece = From(
        Password, "postgresql://", "host=", "port=", "password=", "password='", "sslmode=", "user", ":", "@", "/", "?", "&", "=", ",", "[",
        "]", "%", "%4", "%40", "%00", " ", "'", "\\", "5432", "x", "😀", "\n", "service=", "::1", "dbname=", "-1");

    [Fact]
    public void Any_pile_of_pieces_resolves_or_is_refused() =>
        Piece.Array[0, 12].Select(string.Concat).Sample(text => { Resolve(text); }, iter: 5_000);

    [Fact]
    public void No_refusal_of_a_spoilt_string_holds_the_password()
    {
        string[] sound =
        [
            $"postgresql://user:{Password}@host:5432/app?sslmode=require",
            $"host=h port=5432 password={Password} dbname=app",
            $"host=h password='{Password}' sslmode=prefer",
        ];
        Gen.Select(From(sound), Piece, Gen.Int[0, 60]).Sample((text, piece, at) =>
        {
            // A piece inside the user's own value of another option may be repeated; the password may not.
            if (Resolve(text.Insert(Math.Min(at, text.Length), piece)) is { } refusal)
            {
                Assert.DoesNotContain(Password, refusal, StringComparison.Ordinal);
            }
        }, iter: 5_000);
    }

    private static string? Resolve(string text)
    {
        try
        {
            new Pretended().Resolve(text).ToDriver(pooling: false);
            return null;
        }
        catch (ConnectionSettingsException refused)
        {
            return refused.Message;
        }
    }

    private static Gen<string> From(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(at => texts[at]);
}
