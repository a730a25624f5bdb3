# frozen_string_literal: true

# Reports an error as apps do.
class ErrorsController < ApplicationController
  def create
    Rails.error.handle { raise params.require(:message) }
    head :no_content
  end
end
