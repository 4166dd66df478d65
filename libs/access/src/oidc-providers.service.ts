import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { Agencies } from './agency.service.ts';
import { Officer } from './officer.entity.ts';
import { type OidcProvider, OidcProviderRepository } from './oidc-provider.repository.ts';
import { unlessTaken } from './violation.ts';

/**
 * Which provider an agency has, and as whom it knows each officer. Only the command line changes either: whoever may link an
 * officer to a subject of their own could act as that officer, and so make two of one.
 */
@Injectable()
export class OidcProviders {
  constructor(
    private readonly providers: OidcProviderRepository,
    private readonly agencies: Agencies,
  ) {}

  /**
   * Gives an agency its provider, in the place of an earlier one; links to subjects of another issuer stay and mean nothing.
   * @throws Refusal `agency_not_found` or `issuer_invalid`.
   */
  async set(tx: EntityManager, provider: OidcProvider): Promise<void> {
    await this.agencies.agencyById(provider.agencyId, tx);
    assertIssuer(provider.issuer);
    await this.providers.set(tx, provider);
  }

  /** Officers sign in by password again. @throws Refusal `identity_provider_not_found`. */
  async remove(tx: EntityManager, agencyId: string): Promise<void> {
    if (!(await this.providers.remove(tx, agencyId))) throw noProvider();
  }

  /**
   * Says as whom the provider of the officer's agency knows them.
   * @returns the officer's agency.
   * @throws Refusal `officer_not_found`, `identity_provider_not_found` or `subject_taken`.
   */
  async link(tx: EntityManager, officerId: string, subject: string): Promise<string> {
    const agencyId = await this.agencyOf(tx, officerId);
    const provider = await this.providers.find(tx, agencyId);
    if (!provider) throw noProvider();
    const linked = this.providers.link(tx, officerId, provider.issuer, subject);
    await unlessTaken(linked, refuse('subject_taken', 'Another officer is linked to this subject.'));
    return agencyId;
  }

  /** @returns the officer's agency. @throws Refusal `officer_not_found`. */
  async unlink(tx: EntityManager, officerId: string): Promise<string> {
    const agencyId = await this.agencyOf(tx, officerId);
    await this.providers.unlink(tx, officerId);
    return agencyId;
  }

  private async agencyOf(tx: EntityManager, officerId: string): Promise<string> {
    const officer = await tx.findOneBy(Officer, { id: officerId });
    if (!officer) throw refuse('officer_not_found', 'There is no such officer.');
    return officer.agencyId;
  }
}

/** OpenID Connect Core §2, `iss`: https, and neither query nor fragment. */
function assertIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const fit = url?.protocol === 'https:' && !url.search && !url.hash && !url.username && !url.password;
  if (!fit) throw refuse('issuer_invalid', 'An issuer is an https address without query and fragment.');
}

function noProvider(): Refusal {
  return refuse('identity_provider_not_found', 'The agency has no identity provider. Sign in with your password.');
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
