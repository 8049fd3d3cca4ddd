import type { SiteMembers } from '../protocol.ts';

/** The members of a watched cluster in their newest configuration, and its guests. */
export function MembersBar({ sites }: { readonly sites: readonly SiteMembers[] }) {
  const known = sites.flatMap((one) => ('membership' in one ? [one.membership] : []));
  const newest = known
    .filter(({ generation }) => generation !== null)
    .toSorted((one, other) => order(other.term, one.term) || order(other.version, one.version))[0];
  if (newest === undefined) return null;
  const { generation, term, version, voters } = newest;
  const behind = known.filter((one) => one.term !== term || one.version !== version).length;
  const guests = [...new Set(known.flatMap((one) => one.guests))].sort();
  return (
    <section className="members" aria-label="Members">
      <dl>
        <div>
          <dt>members</dt>
          <dd>
            {voters.map(({ site, address, up }) => (
              <span
                key={site}
                className={up ? 'up' : 'down'}
                title={address === null ? '' : `${address.host}:${address.port}`}
              >
                {site}
                {!up && ' is down'}
              </span>
            ))}
          </dd>
        </div>
        <div>
          <dt>configuration</dt>
          <dd>
            term {term}, version {version}, generation {generation}
            {behind > 0 && `; ${behind} ${behind === 1 ? 'site does' : 'sites do'} not know it yet`}
          </dd>
        </div>
        <div>
          <dt>guests</dt>
          <dd>{guests.length === 0 ? 'none' : guests.join(', ')}</dd>
        </div>
      </dl>
    </section>
  );
}

function order(one: number | null, other: number | null): number {
  return (one ?? -1) - (other ?? -1);
}
