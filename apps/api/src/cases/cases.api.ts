import { Module } from '@nestjs/common';
import { CasesModule } from '#cases';
import { DispatchModule } from '#dispatch';
import { CaseConflictsController } from './case-conflicts.controller.ts';
import { CasePhotosController } from './case-photos.controller.ts';
import { CasesController } from './cases.controller.ts';

@Module({
  imports: [CasesModule, DispatchModule],
  controllers: [CasesController, CaseConflictsController, CasePhotosController],
})
export class CasesApi {}
