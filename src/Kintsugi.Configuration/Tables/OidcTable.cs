using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>http: { oidc: … }</c></summary>
internal static class OidcTable
{
    private static readonly Shape<IReadOnlyList<string>> Values = new Listing<string>(Is.Text);

    private static readonly Key<Uri> Issuer = new("issuer", Is.Url, "Its /.well-known/openid-configuration names its keys.", required: true);
    private static readonly Key<string> Audience = new("audience", Is.Text, "For whom the tokens are made out: this service.", required: true);
    private static readonly Key<string> NameClaim = new("name_claim", Is.Text, "Who it is, as the ledger records it.", "sub");
    private static readonly Key<string> RoleClaim = new("role_claim", Is.Text, "The claim whose values are looked for below.", "roles");
    private static readonly Key<IReadOnlyList<string>> Viewer = new("viewer", Values, "Values that make a viewer.", ["viewer"]);
    private static readonly Key<IReadOnlyList<string>> Operator = new("operator", Values, "Values that make an operator.", ["operator"]);
    private static readonly Key<IReadOnlyList<string>> Admin = new("admin", Values, "Values that make an admin.", ["admin"]);

    public static readonly Mapping<OidcConfiguration> Shape = new(
        [Issuer, Audience, NameClaim, RoleClaim, Viewer, Operator, Admin],
        values =>
        {
            var issuer = values.Get(Issuer);
            if (values.Has(Issuer) && issuer.Scheme != Uri.UriSchemeHttps && !issuer.IsLoopback)
            {
                values.Mistake(Issuer, "keys are asked for over https; http is for an issuer on this machine");
            }

            return new(issuer, values.Get(Audience), values.Get(NameClaim), values.Get(RoleClaim),
            [
                .. values.Get(Viewer).Select(value => (value, ApiRole.Viewer)), .. values.Get(Operator).Select(value => (value, ApiRole.Operator)),
                .. values.Get(Admin).Select(value => (value, ApiRole.Admin)),
            ]);
        });
}
