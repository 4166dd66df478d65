import { Controller, Get, Param, Post, Res, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor, type UploadedMultipartFile } from '@nestjs/platform-fastify/multipart';
import { ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { CasePhotos } from '#cases';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { JPEG, PHOTO_FIELD } from '../schemas/binary.ts';
import { uuid } from '../schemas/common.ts';
import { invalidRequest } from '../validation.pipe.ts';
import { photoAnswer } from './cases.schemas.ts';

/** Photos of the child: every upload is decoded and drawn anew, without its metadata. */
@ApiTags('cases')
@Controller('v1/cases/:id/photos')
@ForOfficers()
export class CasePhotosController {
  constructor(private readonly photos: CasePhotos) {}

  @Post()
  @ApiOperation({ summary: 'Adds a photo, as the file `photo` of a form.' })
  @UseInterceptors(FileInterceptor('photo'))
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', properties: { photo: PHOTO_FIELD }, required: ['photo'] } })
  @ApiResponse({
    status: 201,
    description: 'Kept; name it in the alert to make it public.',
    standardSchema: photoAnswer,
  })
  async add(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @UploadedFile() photo: UploadedMultipartFile | undefined,
  ): Promise<z.input<typeof photoAnswer>> {
    if (!photo?.buffer) throw invalidRequest([{ message: 'is required, as a file', path: ['photo'] }]);
    const { id, width, height } = await this.photos.add(officer, caseId, photo.buffer);
    return { id, width, height };
  }

  @Get(':photoId')
  @ApiOperation({ summary: 'A photo of the case: the picture itself.' })
  @ApiResponse({ status: 200, description: 'The picture.', content: JPEG })
  async read(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @Param('photoId', { schema: uuid }) photoId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const { jpeg } = await this.photos.read(officer, caseId, photoId);
    void reply.type('image/jpeg').header('cache-control', 'no-store');
    return jpeg;
  }
}
