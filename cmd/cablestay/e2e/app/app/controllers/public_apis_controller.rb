# frozen_string_literal: true

class PublicApisController < ApplicationController
  def show
    render json: PublicApi.names
  end
end
